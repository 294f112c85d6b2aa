"""The order of training: the windows of step k, as a pure function of seed, epoch and index; no PyTorch.

Nothing is drawn from a global generator and no state is kept, so training can resume at any step and sees the same
batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from epigx.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Order", "Shard"]

Rows = TypeVar("Rows", list[int], NDArray[np.int64], "Tensor")


@dataclass(frozen=True)
class Shard:
    """The genes of each batch that process ``rank`` of several reads; the shards of all processes make up the batch.

    Examples
    --------
    >>> Shard(0, 2).of([7, 3, 5]), Shard(1, 2).of([7, 3, 5])
    ([7, 5], [3])
    """

    rank: int = 0
    processes: int = 1

    def splits(self, size: int) -> bool:
        """Return whether a batch of this size is split; each process reads all of a batch that is too small."""
        return 1 < self.processes <= size

    def of(self, batch: Rows) -> Rows:
        """Return this process's rows of a batch."""
        return batch[self.rank :: self.processes] if self.splits(len(batch)) else batch

    def weight(self, size: int) -> float:
        """Return the weight of this shard's mean, so that the average over processes is the mean over the batch.

        Examples
        --------
        >>> [Shard(rank, 2).weight(3) for rank in (0, 1)]
        [1.3333333333333333, 0.6666666666666666]
        """
        if not self.splits(size):
            return 1.0
        return -(-(size - self.rank) // self.processes) * self.processes / size


@dataclass(frozen=True)
class Order:
    """The batches of a training run on ``n`` windows: every epoch is a new permutation, its last batch may be smaller.

    Examples
    --------
    >>> order = Order(n=5, batch_size=2, seed=0)
    >>> order.steps_per_epoch, [len(order.batch(step)) for step in range(4)]
    (3, [2, 2, 1, 2])
    """

    n: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        if self.n < 1 or self.batch_size < 1:
            raise ConfigError(
                f"Cannot make batches of {self.batch_size} from {self.n} windows. Both must be at least 1."
            )

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return -(-self.n // self.batch_size)

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the permutation of an epoch, int64 (n,)."""
        return np.random.default_rng([self.seed, number]).permutation(self.n)

    def batch(self, step: int) -> NDArray[np.int64]:
        """Return the windows of a step, counted from 0 over all epochs, int64 (≤ batch_size,)."""
        epoch, index = divmod(step, self.steps_per_epoch)
        return self.epoch(epoch)[index * self.batch_size : (index + 1) * self.batch_size]

    def size(self, step: int) -> int:
        """Return the number of windows of a step."""
        return min(self.batch_size, self.n - step % self.steps_per_epoch * self.batch_size)

    def batches(self, start_step: int = 0) -> Iterator[list[int]]:
        """Yield the batch of every step from ``start_step`` on, without end."""
        first_epoch, index = divmod(start_step, self.steps_per_epoch)
        for epoch in count(first_epoch):
            permutation = self.epoch(epoch).tolist()
            for first in range(index * self.batch_size, self.n, self.batch_size):
                yield permutation[first : first + self.batch_size]
            index = 0
