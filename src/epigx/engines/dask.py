"""A Dask cluster, through dask.distributed: one that runs already, or workers of this machine.

Dask restarts workers that die and gives their tasks to others, so a run may be begun on one machine and ended on
another; that two never write one run at a time is seen to by :mod:`epigx.system.locks`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from queue import SimpleQueue
from typing import Any, Literal
from uuid import uuid4

from pydantic import Field

from epigx.engines.base import Engine, Outcome, Progress, Task, attempt, missing_extra, sentence
from epigx.errors import ConfigError

__all__ = ["Dask"]


class Dask(Engine):
    """Workers of a Dask cluster whose machines all see the files.

    Ctrl-C takes back what has not begun. Workers of this machine end with it; those of a cluster that ran already
    finish the task that they are at.
    """

    kind: Literal["dask"] = "dask"
    address: str | None = None
    """Address of a scheduler (``tcp://node1:8786``), also one that dask-jobqueue started; none: start workers here."""
    workers: int = Field(default=1, ge=1)
    """Workers to start; with an address, tasks to send to the cluster even before it has as many workers."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory in GB at which such a worker is restarted; none: its share of the machine's."""
    patience: int = Field(default=30, ge=1)
    """Seconds to wait for the scheduler to answer."""

    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run tasks on the cluster's workers; see :meth:`Engine.run`."""
        with self._client() as client, closing(_Run(client, tasks, self.workers)) as run:
            return run.outcomes(progress)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Connect to the cluster, or start one that ends with the tasks."""
        try:
            import distributed
        except ModuleNotFoundError:
            raise missing_extra("dask", "distributed") from None
        if self.address is not None:
            try:
                client = distributed.Client(self.address, timeout=self.patience, set_as_default=False)
            except (OSError, ValueError):
                raise ConfigError(
                    f"No Dask scheduler answers at {self.address}. Start one with `dask scheduler`, and give the "
                    "address that it prints."
                ) from None
            with client:
                yield client
            return
        memory = "auto" if self.memory_gb is None else f"{self.memory_gb} GB"
        with (
            distributed.LocalCluster(
                n_workers=self.workers, threads_per_worker=1, memory_limit=memory, dashboard_address=":0"
            ) as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            yield client


_Event = tuple[int, str, str | None]
"""The number of a task, ``started`` or the state that it ended in, and what went wrong."""

_CUT_OFF = "The connection to the scheduler was lost, or someone cancelled it."

_alone = threading.Lock()


class _Run:
    """A list of tasks on its way through a cluster.

    Only as many are submitted at a time as there are workers: Dask holds the death of a worker against all tasks that
    wait there, too.
    """

    def __init__(self, client: Any, tasks: Sequence[Task], at_least: int) -> None:
        self._client, self._tasks, self._at_least = client, tasks, at_least
        self._futures: list[Any] = []
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._topic = f"epigx-{uuid4().hex}"
        client.subscribe_topic(self._topic, lambda event: self._events.put(event[1]))

    def outcomes(self, progress: Progress | None) -> list[Outcome]:
        """Wait until all tasks have ended."""
        outcomes: dict[int, Outcome] = {}
        started: set[int] = set()
        while len(outcomes) < len(self._tasks):
            self._submit(len(outcomes))
            number, state, error = self._events.get()
            if number in outcomes:
                continue
            name = self._tasks[number].name
            if progress and number not in started:  # a task that another worker takes up starts once
                started.add(number)
                progress(name, "started")
            if state != "started":
                outcomes[number] = Outcome(name, "done" if state == "done" else "failed", error)
                if number < len(self._futures):
                    self._futures[number].release()
                if progress:
                    progress(name, state)
        return [outcomes[number] for number in range(len(self._tasks))]

    def close(self) -> None:
        """Take back what has not ended."""
        self._client.unsubscribe_topic(self._topic)
        self._client.cancel(self._futures)

    def _submit(self, ended: int) -> None:
        for number in range(len(self._futures), min(len(self._tasks), ended + self._room())):
            task = self._tasks[number]
            if self._client.status != "running":
                self._events.put((number, "failed", _CUT_OFF))
                continue
            key = f"{task.name}-{uuid4().hex}"
            future = self._client.submit(_work, task, number, self._topic, key=key, pure=False)
            self._futures.append(future)
            future.add_done_callback(partial(_lost, number=number, events=self._events))

    def _room(self) -> int:
        """Return how many tasks may be on their way: all, once the scheduler is lost and nothing can be sent."""
        try:
            workers = len(self._client.nthreads())
        except (OSError, RuntimeError, asyncio.CancelledError):  # what Dask raises depends on how far it was
            return len(self._tasks)
        return max(self._at_least, workers)


def _work(task: Task, number: int, topic: str) -> None:
    """Run a task on a worker, one at a time even where the worker has several threads: PyTorch's are its process's.

    The outcome is told as an event. As a result it would stay with the worker, and be made again should that die.
    """
    import distributed

    with _alone:
        distributed.get_worker().log_event(topic, (number, "started", None))
        outcome = attempt(task)
        distributed.get_worker().log_event(topic, (number, outcome.state, outcome.error))


def _lost(future: Any, number: int, events: SimpleQueue[_Event]) -> None:
    """Say why a task will not tell how it ended, if so."""
    if future.status == "cancelled":
        events.put((number, "failed", _CUT_OFF))
    elif future.status == "error" and type(error := future.exception()).__name__ == "KilledWorker":
        events.put((number, "failed", "The workers that took it died one after the other, perhaps for want of memory."))
    elif future.status == "error":  # such as a function that the worker cannot import
        events.put((number, "failed", sentence(error)))
