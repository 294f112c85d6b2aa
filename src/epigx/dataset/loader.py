"""The order of training: which windows the optimiser sees at step k, as a pure function of (seed, epoch, index).

Nothing is drawn from a global generator and no state is kept, so training can be taken up at any step and sees the same
batches. Reading a batch is a slice of a memory-mapped array, far quicker than a training step, so it needs no processes
of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Sampler

from epigx.batch import Batch
from epigx.dataset.windows import Windows
from epigx.errors import ConfigError

__all__ = ["Order", "Share", "eval_loader", "train_loader"]

Rows = TypeVar("Rows", list[int], NDArray[np.int64], torch.Tensor)


@dataclass(frozen=True)
class Share:
    """What one of several processes reads of each batch; together they read the batch that one process would read.

    Parameters
    ----------
    rank : int
        Number of the process, from 0.
    processes : int
        Number of processes.

    Examples
    --------
    >>> Share(0, 2).of([7, 3, 5]), Share(1, 2).of([7, 3, 5])
    ([7, 5], [3])
    """

    rank: int = 0
    processes: int = 1

    def divides(self, size: int) -> bool:
        """Whether a batch of that size is dealt out; one with fewer windows than processes is read whole by each."""
        return 1 < self.processes <= size

    def of(self, batch: Rows) -> Rows:
        """Return the process's part of a batch."""
        return batch[self.rank :: self.processes] if self.divides(len(batch)) else batch

    def weight(self, size: int) -> float:
        """Return what the mean over the part counts, so that its average over processes is the mean over the batch.

        Examples
        --------
        >>> [Share(rank, 2).weight(3) for rank in (0, 1)]
        [1.3333333333333333, 0.6666666666666666]
        """
        if not self.divides(size):
            return 1.0
        return -(-(size - self.rank) // self.processes) * self.processes / size


_ALL = Share()


@dataclass(frozen=True)
class Order:
    """The batches of a training run: every epoch is a new permutation, its last batch may be smaller.

    Parameters
    ----------
    n : int
        Number of windows.
    batch_size : int
        Windows a batch.
    seed : int
        Seed of the permutations.

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
            raise ConfigError(f"There are no batches of {self.batch_size} from {self.n} windows. Give at least one.")

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches in an epoch."""
        return -(-self.n // self.batch_size)

    def epoch(self, number: int) -> NDArray[np.int64]:
        """Return the permutation of an epoch, int64 (n,)."""
        return np.random.default_rng([self.seed, number]).permutation(self.n)

    def batch(self, step: int) -> NDArray[np.int64]:
        """Return the windows of a step, counted from 0 over all epochs, int64 (≤ batch_size,)."""
        number, place = divmod(step, self.steps_per_epoch)
        return self.epoch(number)[place * self.batch_size : (place + 1) * self.batch_size]

    def size(self, step: int) -> int:
        """Return the number of windows of a step."""
        return min(self.batch_size, self.n - step % self.steps_per_epoch * self.batch_size)

    def batches(self, start_step: int = 0) -> Iterator[list[int]]:
        """Yield the batches of every step from ``start_step`` on, without end."""
        number, place = divmod(start_step, self.steps_per_epoch)
        for epoch in count(number):
            permutation = self.epoch(epoch).tolist()
            for first in range(place * self.batch_size, self.n, self.batch_size):
                yield permutation[first : first + self.batch_size]
            place = 0


class _Steps(Sampler[list[int]]):
    def __init__(self, order: Order, start_step: int, share: Share) -> None:
        self.order, self.start_step, self.share = order, start_step, share

    def __iter__(self) -> Iterator[list[int]]:
        return map(self.share.of, self.order.batches(self.start_step))


def train_loader(
    windows: Windows, *, batch_size: int, seed: int, start_step: int = 0, share: Share = _ALL
) -> DataLoader[Batch]:
    """Load training batches, from a given step on and without end.

    Parameters
    ----------
    windows : Windows
        The training windows.
    batch_size : int
        Windows a batch; the last batch of an epoch may be smaller.
    seed : int
        Seed of the order.
    start_step : int
        The step, counted from 0 over all epochs, whose batch comes first each time the loader is iterated.
    share : Share
        The part of each batch to load, where several processes train together.

    Returns
    -------
    DataLoader
        Endless and without a length; stop after as many steps as are wanted.
    """
    order = Order(len(windows), batch_size, seed)
    return _load(windows, _Steps(order, start_step, share))


def eval_loader(windows: Windows, batch_size: int) -> DataLoader[Batch]:
    """Load every window once, in order.

    Raises
    ------
    ConfigError
        A batch would hold no window.
    """
    if batch_size < 1:
        raise ConfigError(f"There are no batches of {batch_size} windows (batch_size). Give at least one.")
    batches = [
        list(range(first, min(first + batch_size, len(windows)))) for first in range(0, len(windows), batch_size)
    ]
    return _load(windows, batches)


def _load(windows: Windows, batches: Sampler[list[int]] | list[list[int]]) -> DataLoader[Batch]:
    # A generator of its own: a DataLoader draws a seed whenever it is iterated, and would take it from the global one,
    # so that a resumed run would draw other dropout masks than an unbroken one.
    return DataLoader(
        windows,
        batch_sampler=batches,
        collate_fn=_as_it_is,
        generator=torch.Generator().manual_seed(0),
    )


def _as_it_is(batch: Any) -> Any:
    """Pass on what ``__getitems__`` gave: it is a batch already."""
    return batch
