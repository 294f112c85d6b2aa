from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from epigx.dataset.build import pool
from epigx.dataset.build.pool import Build, run_tasks
from epigx.dataset.build.staging import WorkFolder
from epigx.dataset.build.tasks import DigestTask
from epigx.errors import DatasetError


@pytest.fixture
def build(genome_files, tmp_path):
    work = WorkFolder(tmp_path / "out")
    work.prepare("key", 1)
    return Build(genome_files.manifest(), 100, work)


def _tasks(build):
    return [DigestTask(build.manifest.locate(file), f"file-{n}") for n, file in enumerate(build.manifest.files())]


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_task_is_run_and_noted(build, jobs):
    tasks = _tasks(build)
    assert sorted(task.name for task in run_tasks(build, [tasks], jobs)) == sorted(task.name for task in tasks)
    for task in tasks:
        assert build.work.report(task.name)["size"] == task.file.stat().st_size


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_phase_waits_for_the_one_before_it_in_the_same_processes(build, monkeypatch, tmp_path, jobs):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2**28)  # of zeros that take no space; the others would be done long before it
    started, start = [], pool.ProcessPoolExecutor
    monkeypatch.setattr(
        pool, "ProcessPoolExecutor", lambda *given, **named: started.append(1) or start(*given, **named)
    )
    first, second, *_ = _tasks(build)
    phases = [[DigestTask(large, "large"), first], [], [second]]
    found = [task.name for task in run_tasks(build, phases, jobs)]
    assert sorted(found[:2]) == sorted(["large", first.name])
    assert found[2:] == [second.name]
    assert len(started) == (jobs > 1)


def test_nothing_to_do(build):
    assert list(run_tasks(build, [], 4)) == list(run_tasks(build, [[]], 4)) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_come_through(build, jobs):
    tasks = [*_tasks(build), DigestTask(build.work.path / "nowhere", "lost")]
    with pytest.raises(FileNotFoundError):
        list(run_tasks(build, [tasks], jobs))
    assert build.work.report("lost") is None


def test_a_process_that_died(build, monkeypatch):
    class Dying:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def shutdown(self, **_): ...
        def submit(self, *_):
            future = Future()
            future.set_exception(BrokenProcessPool("gone"))
            return future

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Dying)
    message = (
        r"out is not finished: a process died, maybe because memory ran out\. "
        r"Run the same command with fewer --jobs to continue\. In a script"
    )
    with pytest.raises(DatasetError, match=message):
        list(run_tasks(build, [_tasks(build)], 2))
