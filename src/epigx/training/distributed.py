"""The processes that train one model together, as torchrun or SLURM's srun starts them.

Each takes its share of every batch, so that the gradient averaged over processes is that of the whole batch, and all
come to the weights that one process would have come to.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from epigx.dataset.loader import Share
from epigx.errors import ConfigError
from epigx.objectives import Objective

__all__ = ["Processes"]


@dataclass(frozen=True)
class Processes:
    """How many processes train together, and which of them this one is.

    Parameters
    ----------
    rank : int
        Number of this process, from 0.
    count : int
        Number of processes, over all machines.
    local_rank : int
        Number of this process on its machine, which chooses its GPU.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @classmethod
    def launched(cls, environment: Mapping[str, str] = os.environ) -> Processes:
        """Return what torchrun or srun says of this process; it is alone where neither started it.

        Examples
        --------
        >>> Processes.launched({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "node1"})
        Processes(rank=1, count=2, local_rank=1)
        """
        # SLURM_NTASKS would also be there in a batch script that starts one process without srun.
        for rank, count, local_rank, also in (
            ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"),
            ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_JOB_ID"),
        ):
            if {rank, count, local_rank, also} <= set(environment):
                return cls(int(environment[rank]), int(environment[count]), int(environment[local_rank]))
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    @property
    def share(self) -> Share:
        """The part of every batch that this process reads."""
        return Share(self.rank, self.count)

    def check(self, batch_size: int, objective: Objective) -> None:
        """Refuse what several processes would train differently from one.

        Raises
        ------
        ConfigError
            ``batch_size`` is below the number of processes, or the objective compares the genes of a batch, of which
            each process sees its own alone.
        """
        if self.count > 1 and objective.compares_genes:
            raise ConfigError(
                f"The objective {type(objective).__name__} compares the genes of a batch with each other, and each of "
                f"{self.count} processes would see its own share alone. Train with one process."
            )
        if batch_size < self.count:
            raise ConfigError(
                f"training.batch_size ({batch_size}) is below the number of processes ({self.count}), to which the "
                "genes of a step are dealt out. Raise it, or start fewer processes."
            )

    def join(self) -> None:
        """Let the processes talk to each other until they end, unless they do already."""
        if self.count == 1 or distributed.is_initialized():
            return
        if torch.cuda.is_available():
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())
        address, port = _meeting_place(os.environ)
        distributed.init_process_group(
            # What concerns the run, and not the model, stays on the CPU: a GPU would have to be waited for.
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            init_method=f"tcp://{address}:{port}",
            rank=self.rank,
            world_size=self.count,
        )
        atexit.register(distributed.destroy_process_group)

    def wait(self) -> None:
        """Wait until every process has come here."""
        self.sum(0.0)

    def sum(self, value: float) -> float:
        """Add up a number over processes."""
        return self._reduced(value, distributed.ReduceOp.SUM)

    def largest(self, value: int) -> int:
        """Return the largest of the processes' numbers."""
        return int(self._reduced(value, distributed.ReduceOp.MAX))

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over processes."""
        if self.count == 1:
            return values
        total = values.detach().clone()
        distributed.all_reduce(total)
        return total / self.count

    def gathered(self, rows: Tensor, number: int) -> Tensor:
        """Put together, in their order, what each process made of its share of ``number`` rows; on the CPU."""
        if not self.share.divides(number):
            return rows.cpu()
        parts: list[Tensor] = [rows] * self.count
        distributed.all_gather_object(parts, rows.cpu())
        whole = parts[0].new_empty(number, *rows.shape[1:])
        for rank, part in enumerate(parts):
            Share(rank, self.count).of(whole)[:] = part
        return whole

    def _reduced(self, value: float, operation: distributed.ReduceOp.RedOpType) -> float:
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64)
        distributed.all_reduce(total, operation)
        return float(total)


def _meeting_place(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return address and port of the leading process: torchrun's, or one that all tasks of a SLURM step agree on."""
    if "MASTER_ADDR" in environment and "MASTER_PORT" in environment:
        return environment["MASTER_ADDR"], int(environment["MASTER_PORT"])
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

    nodes = environment.get("SLURM_STEP_NODELIST", "127.0.0.1")
    step = int(environment["SLURM_JOB_ID"]) + int(environment.get("SLURM_STEP_ID", "0"))
    return SLURMEnvironment.resolve_root_node_address(nodes), 20_000 + step % 20_000
