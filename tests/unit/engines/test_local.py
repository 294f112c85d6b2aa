"""Tasks are functions of the standard library here, which every process can import."""

from __future__ import annotations

import os
import signal
import sys
import time
import types
from multiprocessing import active_children

import pytest

from epigx.engines import Local, Task, local


@pytest.fixture(autouse=True)
def _four_cores(monkeypatch):
    monkeypatch.setattr(local, "cores", lambda: 4)


def test_a_task_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "here_alone", module := types.ModuleType("here_alone"))
    exec("def function(): pass", module.__dict__)
    tasks = [
        Task("refused", os.mkdir, (tmp_path,)),
        Task("killed", signal.raise_signal, (signal.SIGKILL,)),
        Task("left", os._exit, (3,)),
        Task("unsent", lambda: None),
        Task("unknown", module.function),
        Task("made", os.mkdir, (tmp_path / "made",)),
    ]
    told = []
    outcomes = Local(jobs=2, memory_gb=2).run(tasks, progress=lambda *event: told.append(event))
    assert [outcome.name for outcome in outcomes] == [task.name for task in tasks]
    assert [outcome.state for outcome in outcomes] == ["failed"] * 5 + ["done"]
    errors = [outcome.error or "" for outcome in outcomes]
    assert errors[0].startswith("FileExistsError: ")
    assert errors[1] == ("The process was ended by SIGKILL, perhaps because memory ran out. Run fewer tasks at a time.")
    assert errors[2] == (
        "The process ended with status 3 before the task was done. In a script, start engines under "
        '`if __name__ == "__main__":`.'
    )
    assert errors[3].startswith("The task cannot be sent to another process: ")
    assert errors[4].startswith("The process cannot import the task: ModuleNotFoundError: ")
    assert (tmp_path / "made").is_dir()
    for outcome in outcomes:
        assert told.index((outcome.name, "started")) < told.index((outcome.name, outcome.state))
    assert len(told) == 12
    assert not active_children()


def test_no_tasks():
    assert Local().run([]) == []


def test_an_error_of_the_caller_ends_the_processes():
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        Local(jobs=1).run([Task("sleep", time.sleep, (100,))], progress=lambda *_: 1 // 0)
    with pytest.raises(KeyboardInterrupt):
        Local(jobs=2).run([Task("kill", os.kill, (os.getpid(), signal.SIGINT)), Task("sleep", time.sleep, (100,))])
    assert not active_children()
    assert time.monotonic() - began < 50


@pytest.mark.parametrize(
    ("jobs", "threads", "memory", "fits"),
    [
        (None, 1, 1, True),
        (None, 3, 1, False),
        (None, 2, 1, True),
        (None, 1, 9, False),
        (2, 1, 1, False),
        (3, 1, 1, True),
    ],
)
def test_a_task_is_started_where_cores_and_memory_suffice(jobs, threads, memory, fits):
    running = [Task("a", print, memory_gb=1), Task("b", print, memory_gb=1)]
    engine = Local(jobs=jobs)
    assert engine._fits(Task("c", print, threads=threads, memory_gb=memory), running, memory_gb=10) == fits
    assert engine._fits(Task("huge", print, threads=64, memory_gb=1000), [], memory_gb=10), "it runs by itself"


@pytest.mark.parametrize(("jobs", "tasks", "threads"), [(None, 9, 1), (None, 2, 2), (2, 9, 2), (1, 9, 4), (None, 0, 4)])
def test_cores_are_divided_among_tasks(jobs, tasks, threads):
    assert Local(jobs=jobs).threads_each(tasks) == threads
