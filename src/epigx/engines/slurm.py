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
"""Seconds between two checks of the jobs. They read files that the jobs write, and seldom ask SLURM itself."""


class Slurm(Engine):
    """Jobs of a SLURM cluster whose machines share a file system. The caller waits for them, and Ctrl-C cancels them.

    A job that reaches its time limit is queued again and continues from its last checkpoint.
    """

    kind: Literal["slurm"] = "slurm"
    cluster: Literal["slurm", "local", "debug"] = "slurm"
    """``slurm``; ``local``: processes of this machine, all at once; ``debug``: this process, one task after another."""
    partition: str | None = None
    """Partition; by default the cluster's."""
    time: int = Field(default=720, ge=1)
    """Time limit of a job in minutes."""
    cpus: int | None = Field(default=None, ge=1)
    """Cores of a job; by default the threads of its task."""
    mem: float | None = Field(default=None, gt=0)
    """Memory of a job in GB; by default the estimate for its task."""
    gpus: int = Field(default=0, ge=0)
    """GPUs of a job."""
    at_once: int = Field(default=256, ge=1)
    """Largest number of jobs of an array that run at a time."""
    restarts: int = Field(default=3, ge=0)
    """How often a job is queued again after its time limit."""
    extra: dict[str, str | int] = Field(default_factory=dict)
    """Other options of sbatch, with underscores: ``{account: lab, qos: long, constraint: a100}``."""
    logs: str = "slurm"
    """Folder for the tasks and the output of the jobs, on a disk that all machines share."""

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
        """Return the submitit executor for jobs of one size."""
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
                "SLURM was not found on this machine: there is no program srun. Run epigx on a login node of the "
                "cluster, or set engine.cluster to local."
            ) from None
        return executor

    def _wait(
        self, tasks: Sequence[Task], jobs: dict[int, Any], outcomes: dict[int, Outcome], progress: Progress | None
    ) -> None:
        """Collect outcomes until all jobs have ended."""
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
    except FailedJobError as error:  # its last line is the message of sbatch
        reason = str(error).strip().rpartition("\n")[2]
        raise ConfigError(f"sbatch refused the jobs: {reason}. Check engine.partition and engine.extra.") from None


class _Attempt:
    """A task in a job."""

    def __call__(self, task: Task) -> Outcome:
        return attempt(task)

    def checkpoint(self, task: Task) -> Any:
        """Return the call for a job that is queued again: the same one, which continues from its files."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, task)


def _outcome(task: Task, job: Any) -> Outcome:
    if (error := job.exception()) is None:
        outcome: Outcome = job.result()
        return outcome
    first, _, _ = str(error).strip().partition("\n")
    return failed(task, f"The job {job.job_id} ended without a result ({first}). See {job.paths.stderr}.")
