"""A Dask cluster, through dask.distributed: a running one, or workers of this machine.

Dask restarts workers that die and gives their tasks to others. A run may thus start on one machine and end on another;
:mod:`epigx.system.locks` ensures that two machines never write one run at the same time.
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
    """Workers of a Dask cluster whose machines share a file system.

    Ctrl-C cancels the tasks that have not started. Workers of this machine end; workers of a running cluster finish
    their current task.
    """

    kind: Literal["dask"] = "dask"
    address: str | None = None
    """Address of a scheduler (``tcp://node1:8786``); by default workers are started on this machine."""
    workers: int = Field(default=1, ge=1)
    """Workers to start. With an address: tasks to submit even before the cluster has so many workers."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory in GB at which a worker of this machine is restarted; by default an equal share of all memory."""
    patience: int = Field(default=30, ge=1)
    """Seconds to wait for the scheduler to answer."""

    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run tasks on the cluster's workers; see :meth:`Engine.run`."""
        with self._client() as client, closing(_Run(client, tasks, self.workers)) as run:
            return run.outcomes(progress)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Connect to the cluster, or start one that ends after the tasks."""
        try:
            import distributed
        except ModuleNotFoundError:
            raise missing_extra("dask", "distributed") from None
        if self.address is not None:
            try:
                client = distributed.Client(self.address, timeout=self.patience, set_as_default=False)
            except (OSError, ValueError):
                raise ConfigError(
                    f"No Dask scheduler answers at {self.address}. Start one with `dask scheduler` and use the "
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
"""Number of a task, ``started`` or its final state, and its error."""

_DISCONNECTED = "The connection to the Dask scheduler was lost, or the task was cancelled."

_one_at_a_time = threading.Lock()


class _Run:
    """A list of tasks that a cluster runs.

    At most as many tasks are submitted at a time as there are workers: when a worker dies, Dask counts a failure for
    every task that waits there, too.
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
            if progress and number not in started:  # a task that moves to another worker starts only once
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
        """Cancel the tasks that have not ended."""
        self._client.unsubscribe_topic(self._topic)
        self._client.cancel(self._futures)

    def _submit(self, ended: int) -> None:
        for number in range(len(self._futures), min(len(self._tasks), ended + self._capacity())):
            task = self._tasks[number]
            if self._client.status != "running":
                self._events.put((number, "failed", _DISCONNECTED))
                continue
            key = f"{task.name}-{uuid4().hex}"
            future = self._client.submit(_work, task, number, self._topic, key=key, pure=False)
            self._futures.append(future)
            future.add_done_callback(partial(_lost, number=number, events=self._events))

    def _capacity(self) -> int:
        """Return how many tasks may be submitted at a time: all of them once the scheduler is lost."""
        try:
            workers = len(self._client.nthreads())
        except (OSError, RuntimeError, asyncio.CancelledError):  # depends on when the connection was lost
            return len(self._tasks)
        return max(self._at_least, workers)


def _work(task: Task, number: int, topic: str) -> None:
    """Run a task on a worker, one at a time even if the worker has several threads: PyTorch uses all of its process.

    The outcome is sent as an event. A result would stay on the worker, and be computed again if the worker dies.
    """
    import distributed

    with _one_at_a_time:
        distributed.get_worker().log_event(topic, (number, "started", None))
        outcome = attempt(task)
        distributed.get_worker().log_event(topic, (number, outcome.state, outcome.error))


def _lost(future: Any, number: int, events: SimpleQueue[_Event]) -> None:
    """Send the event of a task that ended without sending one itself."""
    if future.status == "cancelled":
        events.put((number, "failed", _DISCONNECTED))
    elif future.status == "error" and type(error := future.exception()).__name__ == "KilledWorker":
        events.put((number, "failed", "Several workers died while they ran it, perhaps because memory ran out."))
    elif future.status == "error":  # such as a function that the worker cannot import
        events.put((number, "failed", sentence(error)))
