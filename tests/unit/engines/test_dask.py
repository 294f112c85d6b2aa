"""Workers and schedulers of Dask; trainings on it are tested in tests/pipeline/test_engines.py."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import dask
import distributed  # before its settings are touched
import pytest

from epigx.engines import Dask, Task
from epigx.errors import ConfigError


def test_a_task_that_fails_does_not_stop_the_others(tmp_path):
    tasks = [
        Task("refused", os.mkdir, (tmp_path,)),
        Task("killed", signal.raise_signal, (signal.SIGKILL,)),
        Task("made", Path.touch, (tmp_path / "made",)),
    ]
    told = []
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):  # so that one death is enough
        refused, killed, made = Dask(workers=1).run(tasks, progress=lambda *event: told.append(event))
    assert (refused.name, refused.state) == ("refused", "failed")
    assert refused.error == f"FileExistsError: [Errno 17] File exists: '{tmp_path}'"
    assert killed.error == "Several workers died while they ran it, perhaps because memory ran out."
    assert made.state == "done"
    assert (tmp_path / "made").is_file()
    assert len(told) == 6
    for outcome in (refused, killed, made):
        assert told.index((outcome.name, "started")) < told.index((outcome.name, outcome.state))


def test_a_scheduler_that_does_not_answer_is_an_error():
    with pytest.raises(ConfigError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9\. Start one with `dask sch"):
        Dask(address="tcp://127.0.0.1:9", patience=1).run([Task("a", print)])


def test_a_cluster_that_runs_already_stays(tmp_path):
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        engine = Dask(address=cluster.scheduler_address)
        for name in ("a", "b"):
            (outcome,) = engine.run([Task(name, os.mkdir, (tmp_path / name,))])
            assert outcome.state == "done"
        began = time.monotonic()
        engine.run([Task(name, time.sleep, (0.3,)) for name in ("c", "d")])
        assert time.monotonic() - began > 0.6, "one at a time, although the worker has two threads"


def test_a_scheduler_that_goes_away_ends_the_wait():
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:

        def close():
            with suppress(Exception):  # a cluster that is closed while it works may stumble, which is not our concern
                cluster.close()

        def leave(name, state):
            if state == "started":
                threading.Thread(target=close, daemon=True).start()

        outcomes = Dask(address=cluster.scheduler_address, patience=2).run(
            [Task(name, time.sleep, (2,)) for name in ("a", "b")], progress=leave
        )
    assert [outcome.state for outcome in outcomes] == ["failed", "failed"]
    assert {outcome.error for outcome in outcomes} == {
        "The connection to the Dask scheduler was lost, or the task was cancelled."
    }


def test_an_interruption_leaves_nothing_behind(tmp_path):
    def interrupt(name, state):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Dask(workers=1).run(
            [Task("sleep", time.sleep, (1000,)), Task("made", os.mkdir, (tmp_path / "made",))], progress=interrupt
        )
    assert not (tmp_path / "made").exists()
