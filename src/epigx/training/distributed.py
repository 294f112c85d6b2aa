"""The processes that train one model together, started by torchrun or by SLURM's srun.

Each starts from the same weights and computes its shard of every batch. The gradient averaged over processes is that
of the whole batch, so all processes get the weights that one process would get, up to rounding.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from epigx.dataset.order import Shard
from epigx.errors import ConfigError

if TYPE_CHECKING:  # PyTorch is imported where processes talk to each other: commands without networks do without it
    from torch import Tensor, nn

    from epigx.objectives import Objective

__all__ = ["Processes"]


@dataclass(frozen=True)
class Processes:
    """The number of processes that train together, and the rank of this one."""

    rank: int = 0
    """Number of this process, from 0."""
    count: int = 1
    """Number of processes, over all machines."""
    local_rank: int = 0
    """Number of this process on its machine; it selects the GPU."""

    @classmethod
    def launched(cls, environment: Mapping[str, str] = os.environ) -> Processes:
        """Read the variables that torchrun or srun sets; without them there is one process.

        Examples
        --------
        >>> Processes.launched({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "node1"})
        Processes(rank=1, count=2, local_rank=1)
        """
        # Not SLURM_NTASKS: it is also set in a batch script that starts one process without srun.
        for rank, count, local_rank, also in (
            ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"),
            ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_JOB_ID"),
        ):
            if {rank, count, local_rank, also} <= set(environment):
                return cls(int(environment[rank]), int(environment[count]), int(environment[local_rank]))
        return cls()

    @property
    def leads(self) -> bool:
        """Whether this process writes the files (rank 0)."""
        return self.rank == 0

    @property
    def shard(self) -> Shard:
        """The rows of every batch that this process reads."""
        return Shard(self.rank, self.count)

    def check(self, batch_size: int, objective: Objective) -> None:
        """Make sure that several processes train the same model as one.

        Raises
        ------
        ConfigError
            ``batch_size`` is below the number of processes, or the objective compares the genes of a batch, of which
            each process sees only its own.
        """
        if self.count > 1 and objective.compares_genes:
            raise ConfigError(
                f"The objective {type(objective).__name__} compares the genes of a batch with each other, but each of "
                f"the {self.count} processes sees only its own genes. Train with one process."
            )
        if batch_size < self.count:
            raise ConfigError(
                f"training.batch_size ({batch_size}) is below the number of processes ({self.count}), and each "
                "process needs at least one gene per step. Raise it, or start fewer processes."
            )

    def join(self) -> None:
        """Connect the processes until they end; nothing to do if they are connected already."""
        if self.count == 1:
            return
        import torch
        from torch import distributed

        if distributed.is_initialized():
            return
        if torch.cuda.is_available():
            torch.cuda.set_device(self.local_rank % torch.cuda.device_count())
        address, port = _main_address(os.environ)
        distributed.init_process_group(
            # Times and requests to stop go over the CPU: reading them from a GPU would stall it at every step.
            "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
            init_method=f"tcp://{address}:{port}",
            rank=self.rank,
            world_size=self.count,
        )
        atexit.register(distributed.destroy_process_group)

    def wait(self) -> None:
        """Wait until every process has called this method."""
        self.sum(0.0)

    def sum(self, value: float) -> float:
        """Add up a number over processes."""
        return self._reduced(value, "SUM")

    def largest(self, value: int) -> int:
        """Return the largest of the processes' numbers."""
        return int(self._reduced(value, "MAX"))

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over processes."""
        if self.count == 1:
            return values
        from torch import distributed

        total = values.detach().clone()
        distributed.all_reduce(total)
        return total / self.count

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over processes; parameters without a gradient have none anywhere.

        Not by PyTorch's DistributedDataParallel: its hooks leave the threads of gloo running when Python ends, and one
        of ten processes under load is then killed by SIGABRT (docs/decisions/0016).
        """
        if self.count == 1:
            return
        import torch
        from torch import distributed

        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        # One message for all of them: each costs a round trip between the machines.
        whole = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(whole)
        whole /= self.count
        means = torch.split(whole, [gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))

    def gathered(self, rows: Tensor, number: int) -> Tensor:
        """Return all ``number`` rows in order, from the rows that each process has of its shard; on the CPU."""
        if not self.shard.splits(number):
            return rows.cpu()
        from torch import distributed

        parts: list[Tensor] = [rows] * self.count
        distributed.all_gather_object(parts, rows.cpu())
        whole = parts[0].new_empty(number, *rows.shape[1:])
        for rank, part in enumerate(parts):
            Shard(rank, self.count).of(whole)[:] = part
        return whole

    def _reduced(self, value: float, operation: Literal["SUM", "MAX"]) -> float:
        if self.count == 1:
            return value
        import torch
        from torch import distributed

        total = torch.tensor(value, dtype=torch.float64)
        distributed.all_reduce(total, getattr(distributed.ReduceOp, operation))
        return float(total)


def _main_address(environment: Mapping[str, str]) -> tuple[str, int]:
    """Return address and port of rank 0: torchrun's, or the first node of the SLURM step and a port from its number."""
    if "MASTER_ADDR" in environment and "MASTER_PORT" in environment:
        return environment["MASTER_ADDR"], int(environment["MASTER_PORT"])
    nodes = environment.get("SLURM_STEP_NODELIST", "127.0.0.1")  # such as gpu[07-08,11],node3
    first = re.sub(r"\[([^],-]+)[^]]*\]", r"\1", nodes).split(",")[0]
    step = int(environment["SLURM_JOB_ID"]) + int(environment.get("SLURM_STEP_ID", "0"))
    return first, 20_000 + step % 20_000
