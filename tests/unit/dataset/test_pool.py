from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from epigx.dataset import pool
from epigx.dataset.pool import Build, run_tasks
from epigx.dataset.tasks import DigestTask
from epigx.dataset.work import WorkFolder
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
    found = [task.name for task in run_tasks(build, [tasks[1:], [], tasks[:1]], jobs)]
    assert sorted(found[:-1]) == sorted(task.name for task in tasks[1:])
    assert found[-1] == tasks[0].name  # one phase after the other
    for task in tasks:
        assert build.work.report(task.name)["size"] == task.file.stat().st_size


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
    message = r"out is not finished: a process died, perhaps for want of memory\. Go on with fewer --jobs\. In a script"
    with pytest.raises(DatasetError, match=message):
        list(run_tasks(build, [_tasks(build)], 2))
