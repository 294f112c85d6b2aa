"""One machine: a pool of processes that never uses more than its cores and its memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from multiprocessing import connection
from typing import Literal

from pydantic import Field

from epigx.engines.base import Engine, Outcome, Progress, Task
from epigx.engines.worker import Worker, end
from epigx.system.resources import cores, free_memory_gb

__all__ = ["Local"]


class Local(Engine):
    """Processes of this machine.

    Tasks start in the given order. Each one waits until enough cores and memory are free; a task that is too large for
    the machine runs by itself. A script must call ``run`` under ``if __name__ == "__main__":``.
    """

    kind: Literal["local"] = "local"
    jobs: int | None = Field(default=None, ge=1)
    """Largest number of tasks at a time; by default the number of cores."""
    memory_gb: float | None = Field(default=None, gt=0)
    """Memory in GB for all tasks together; by default the memory that is free at the start."""

    def threads_each(self, tasks: int) -> int:
        """Divide the cores by the number of tasks that run at a time."""
        return max(1, cores() // max(1, min(self.jobs or cores(), tasks)))

    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run each task in another process; see :meth:`Engine.run`."""
        tell = progress or _silent
        waiting = deque(range(len(tasks)))
        outcomes: dict[int, Outcome] = {}
        idle: list[Worker] = []
        busy: dict[Worker, int] = {}
        memory = self.memory_gb or free_memory_gb()
        try:
            while waiting or busy:
                while waiting and self._fits(tasks[waiting[0]], [tasks[n] for n in busy.values()], memory):
                    number = waiting.popleft()
                    worker = idle.pop() if idle else Worker()
                    busy[worker] = number
                    tell(tasks[number].name, "started")
                    worker.start(tasks[number])
                ready = set(connection.wait([worker.pipe for worker in busy]))
                for worker in [worker for worker in busy if worker.pipe in ready]:
                    number = busy.pop(worker)
                    outcomes[number] = outcome = worker.outcome(tasks[number])
                    idle += [worker] if worker.alive else []
                    tell(outcome.name, outcome.state)
        finally:
            end(idle, list(busy))
        return [outcomes[number] for number in range(len(tasks))]

    def _fits(self, task: Task, running: Sequence[Task], memory_gb: float) -> bool:
        """Whether enough cores and memory are free to start a task."""
        threads = task.threads + sum(other.threads for other in running)
        memory = task.memory_gb + sum(other.memory_gb for other in running)
        jobs = self.jobs or cores()
        return not running or (len(running) < jobs and threads <= cores() and memory <= memory_gb)


def _silent(name: str, state: str) -> None:
    """Ignore progress."""
