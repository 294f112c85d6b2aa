"""Runs a build's tasks, in this process or in several, and notes each as finished."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from multiprocessing import connection, get_context, parent_process, resource_tracker

from epigx.dataset.build.readers import Readers
from epigx.dataset.build.staging import WorkFolder
from epigx.dataset.build.tasks import Task
from epigx.dataset.manifest.schema import Manifest
from epigx.errors import DatasetError

__all__ = ["Build", "interruptions_held", "run_tasks"]


@dataclass(frozen=True)
class Build:
    """What every task of a build needs to know."""

    manifest: Manifest
    window: int
    work: WorkFolder

    def run(self, task: Task, readers: Readers) -> None:
        """Run a task and note that it is finished."""
        self.work.finish(task.name, dict(task.run(readers, self.window, self.work.whole)))


def run_tasks(build: Build, phases: Sequence[Sequence[Task]], jobs: int) -> Iterator[Task]:
    """Run the tasks of each phase in any order, one phase after the other, and yield each when it is finished.

    Parameters
    ----------
    build : Build
        What is being built.
    phases : sequence of sequence of Task
        The work.
    jobs : int
        Processes, the same for all phases, since each takes a second to start; 1 works in this one.

    Raises
    ------
    InputError
        A file cannot be read, or holds what cannot be stored.
    DatasetError
        A process died.
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
                with interruptions_held():
                    futures = {pool.submit(_run, task): task for task in tasks}
                for future in as_completed(futures):
                    future.result()
                    yield futures[future]
        except BrokenProcessPool:
            raise DatasetError(
                f"{build.work.out} is not finished: a process died, perhaps for want of memory. Go on with fewer "
                '--jobs. In a script, call build under `if __name__ == "__main__":`.'
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Start processes that never see Ctrl-C, not even while they import: it is for the first one, which ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # its own start would let the signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_state: tuple[Build, Readers]


def _start(build: Build) -> None:
    """Make a new process ready."""
    global _state
    _state = build, Readers(build.manifest, build.window)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where signals cannot be held back from a new process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A process whose parent was killed outright would otherwise wait for work for ever.
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _run(task: Task) -> None:
    build, readers = _state
    build.run(task, readers)
