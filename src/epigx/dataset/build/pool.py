"""Runs the tasks of a build in one or several processes, and records each finished task."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import chain
from multiprocessing import connection, get_context, parent_process

from epigx.dataset.build.readers import Readers
from epigx.dataset.build.staging import WorkFolder
from epigx.dataset.build.tasks import Task
from epigx.dataset.manifest.schema import Manifest
from epigx.errors import DatasetError
from epigx.system.shutdown import ctrl_c_blocked

__all__ = ["Build", "run_tasks"]


@dataclass(frozen=True)
class Build:
    """The settings that all tasks of a build share."""

    manifest: Manifest
    window: int
    work: WorkFolder

    def run(self, task: Task, readers: Readers) -> None:
        """Run a task and save its report."""
        self.work.finish(task.name, dict(task.run(readers, self.window, self.work.whole)))


def run_tasks(build: Build, phases: Sequence[Sequence[Task]], jobs: int) -> Iterator[Task]:
    """Run the phases one after the other, the tasks of a phase in any order; yield each finished task.

    All phases share ``jobs`` processes, since each takes a second to start; 1 runs all tasks in this process. A process
    that dies is a ``DatasetError``.
    """
    jobs = min(jobs, max(map(len, phases), default=0))
    if jobs <= 1:
        readers = Readers(build.manifest, build.window)
        for task in chain.from_iterable(phases):
            build.run(task, readers)
            yield task
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_start, initargs=(build,)) as pool:
        try:
            for tasks in phases:
                with ctrl_c_blocked():
                    futures = {pool.submit(_run, task): task for task in tasks}
                for future in as_completed(futures):
                    future.result()
                    yield futures[future]
        except BrokenProcessPool:
            raise DatasetError(
                f"{build.work.out} is not finished: a process died, maybe because memory ran out. Run the same command "
                'with fewer --jobs to continue. In a script, call build under `if __name__ == "__main__":`.'
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_state: tuple[Build, Readers]


def _start(build: Build) -> None:
    """Set up a new process."""
    global _state
    _state = build, Readers(build.manifest, build.window)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where new processes cannot inherit blocked signals
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Without this, a process whose parent was killed would wait for work forever.
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run(task: Task) -> None:
    build, readers = _state
    build.run(task, readers)
