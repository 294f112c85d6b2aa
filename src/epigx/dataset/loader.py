"""Windows to batches, for training and for evaluation.

Reading a batch is a slice of a memory-mapped array, far faster than a training step, so the loaders use no worker
processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from epigx.batch import Batch
from epigx.dataset.order import Order, Shard
from epigx.dataset.windows import Windows
from epigx.errors import ConfigError

__all__ = ["eval_loader", "train_loader"]

_WHOLE = Shard()


class _Steps(Sampler[list[int]]):
    def __init__(self, order: Order, start_step: int, shard: Shard) -> None:
        self.order, self.start_step, self.shard = order, start_step, shard

    def __iter__(self) -> Iterator[list[int]]:
        return map(self.shard.of, self.order.batches(self.start_step))


def train_loader(
    windows: Windows, *, batch_size: int, seed: int, start_step: int = 0, shard: Shard = _WHOLE
) -> DataLoader[Batch]:
    """Load training batches, from a given step on and without end.

    The loader has no length: stop after as many steps as you need.

    Parameters
    ----------
    batch_size : int
        Windows per batch, over all processes; the last batch of an epoch may be smaller.
    seed : int
        Seed of the order.
    start_step : int
        First step to load, counted from 0 over all epochs; each iteration of the loader starts there.
    shard : Shard
        The rows of each batch to load, when several processes train together.
    """
    order = Order(len(windows), batch_size, seed)
    return _load(windows, _Steps(order, start_step, shard))


def eval_loader(windows: Windows, batch_size: int) -> DataLoader[Batch]:
    """Load every window once, in order."""
    if batch_size < 1:
        raise ConfigError(f"batch_size is {batch_size}. It must be at least 1.")
    batches = [
        list(range(first, min(first + batch_size, len(windows)))) for first in range(0, len(windows), batch_size)
    ]
    return _load(windows, batches)


def _load(windows: Windows, batches: Sampler[list[int]] | list[list[int]]) -> DataLoader[Batch]:
    # The loader has its own generator: otherwise it would draw a seed from the global one at each iteration, and a
    # resumed run would draw other dropout masks than an uninterrupted one.
    return DataLoader(
        cast("TorchDataset[Batch]", windows),  # by its methods; the class itself is free of torch
        batch_sampler=batches,
        collate_fn=_return_batch,
        generator=torch.Generator().manual_seed(0),
    )


def _return_batch(batch: Any) -> Any:
    """Return the value of ``Windows.__getitems__`` unchanged: it is a batch already."""
    return batch
