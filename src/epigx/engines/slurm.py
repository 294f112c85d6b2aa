"""A SLURM cluster, through submitit: one job array for all tasks of the same size."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from epigx.engines.base import Engine, Outcome, Progress, Task, attempt, failed, missing_extra
from epigx.errors import ConfigError

__all__ = ["Slurm"]

_PAUSE = {"slurm": 5.0, "local": 0.1, "debug": 0.0}
"""Seconds between two looks at the jobs; what runs is known from the files that they write, and seldom asked for."""


class Slurm(Engine):
    """Jobs of a SLURM cluster whose machines all see the files; the caller waits for them, and Ctrl-C cancels them.

    A job that comes to the end of its time is queued again, and goes on from the last checkpoint.
    """

    kind: Literal["slurm"] = "slurm"
    cluster: Literal["slurm", "local", "debug"] = "slurm"
    """Where the same jobs go: to SLURM; all at once to processes of this machine; one by one to this process."""
    partition: str | None = None
    """Partition; none: the cluster's default."""
    time: int = Field(default=720, ge=1)
    """Minutes that a job may take."""
    cpus: int | None = Field(default=None, ge=1)
    """Cores of a job; none: the threads of its task."""
    mem: float | None = Field(default=None, gt=0)
    """Memory of a job in GB; none: what its task is thought to need."""
    gpus: int = Field(default=0, ge=0)
    """GPUs of a job."""
    at_once: int = Field(default=256, ge=1)
    """Jobs of an array that may run at a time."""
    restarts: int = Field(default=3, ge=0)
    """How often a job whose time is over is queued again."""
    extra: dict[str, str | int] = Field(default_factory=dict)
    """Other options of sbatch, with underscores: ``{account: lab, qos: long, constraint: a100}``."""
    logs: str = "slurm"
    """Folder for what the jobs are sent and what they print, on a disk that all machines see."""

    def threads_each(self, tasks: int) -> int:
        """Return the cores of a job."""
        return self.cpus or 1

    def run(self, tasks: Sequence[Task], *, progress: Progress | None = None) -> list[Outcome]:
        """Run tasks as jobs; see :meth:`Engine.run`."""
        arrays: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, task in enumerate(tasks):
            arrays[self.cpus or task.threads, math.ceil(self.mem or task.memory_gb)].append(number)
        jobs: dict[int, Any] = {}
        outcomes: dict[int, Outcome] = {}
        try:
            for (cpus, memory), numbers in arrays.items():
                submitted = _submit(self._executor(cpus, memory), [tasks[number] for number in numbers])
                jobs |= zip(numbers, submitted, strict=True)
            self._wait(tasks, jobs, outcomes, progress)
        finally:
            for number, job in jobs.items():
                if number not in outcomes:
                    job.cancel(check=False)
        return [outcomes[number] for number in range(len(tasks))]

    def _executor(self, cpus: int, memory_gb: int) -> Any:
        """Return what submits jobs of one size."""
        try:
            import submitit
        except ModuleNotFoundError:
            raise missing_extra("slurm", "submitit") from None
        try:
            executor = submitit.AutoExecutor(self.logs, cluster=self.cluster, slurm_max_num_timeout=self.restarts)
            executor.update_parameters(
                name="epigx",
                timeout_min=self.time,
                cpus_per_task=cpus,
                mem_gb=memory_gb,
                gpus_per_node=self.gpus or None,
                slurm_partition=self.partition,
                slurm_array_parallelism=self.at_once,
                slurm_additional_parameters=dict(self.extra) or None,
            )
        except RuntimeError:  # submitit looks for srun
            raise ConfigError(
                "There is no SLURM here: the program srun is not found. Call epigx on a login node of the cluster, or "
                "set the engine's cluster to local."
            ) from None
        return executor

    def _wait(
        self, tasks: Sequence[Task], jobs: dict[int, Any], outcomes: dict[int, Outcome], progress: Progress | None
    ) -> None:
        """Fill in outcomes until all jobs have ended."""
        started: set[int] = set()
        while len(outcomes) < len(jobs):
            for number, job in jobs.items():
                if number in outcomes:
                    continue
                ended = job.done()
                if progress and number not in started and (ended or job.state == "RUNNING"):
                    started.add(number)
                    progress(tasks[number].name, "started")
                if ended:
                    outcomes[number] = outcome = _outcome(tasks[number], job)
                    if progress:
                        progress(outcome.name, outcome.state)
            time.sleep(_PAUSE[self.cluster])


def _submit(executor: Any, tasks: list[Task]) -> list[Any]:
    """Submit jobs, as an array if there are several."""
    from submitit.core.utils import FailedJobError

    try:
        return list(executor.map_array(_Attempt(), tasks))
    except FailedJobError as error:  # it quotes what sbatch said
        reason = str(error).strip().rpartition("\n")[2]
        raise ConfigError(f"sbatch refused the jobs: {reason}. Look at the engine's partition and its extra.") from None


class _Attempt:
    """A task in a job."""

    def __call__(self, task: Task) -> Outcome:
        return attempt(task)

    def checkpoint(self, task: Task) -> Any:
        """Say what is to be done when the job is queued again: the same, which goes on from its files."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, task)


def _outcome(task: Task, job: Any) -> Outcome:
    if (error := job.exception()) is None:
        outcome: Outcome = job.result()
        return outcome
    first, _, _ = str(error).strip().partition("\n")
    return failed(task, f"Its job {job.job_id} ended without an answer ({first}). See {job.paths.stderr}.")
