"""Batch normalisation with the same results when a batch is split over several processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.autograd.function import once_differentiable

__all__ = ["BatchNorm", "dealt_out"]

_dealt_out: ContextVar[bool] = ContextVar("dealt_out", default=False)


@contextmanager
def dealt_out(dealt: bool = True) -> Iterator[None]:
    """Treat the batches inside a `with` block as one batch, split over the processes of ``torch.distributed``.

    Each process must enter the block and call the same layers in it, because the processes wait for each other.
    """
    token = _dealt_out.set(dealt)
    try:
        yield
    finally:
        _dealt_out.reset(token)


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation over genes and positions, across all processes inside :func:`dealt_out`.

    Outside of :func:`dealt_out` it is PyTorch's. ``nn.SyncBatchNorm`` only supports GPUs and does not weight processes
    by their number of genes.
    """

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"weight", "bias"})
    """Parameters that the optimizer does not decay."""

    def forward(self, x: Float[Tensor, "gene channel position"]) -> Float[Tensor, "gene channel position"]:
        """Normalise each channel."""
        if self.training and _dealt_out.get():
            return self._over_processes(x)
        normalised: Tensor = super().forward(x)
        return normalised

    def _over_processes(self, x: Tensor) -> Tensor:
        # In float64, so that the mean square minus the squared mean keeps the precision of float32.
        wide = x.double()
        here = torch.stack([torch.ones_like(wide).sum((0, 2)), wide.sum((0, 2)), wide.square().sum((0, 2))])
        number, total, squares = _Sum.apply(here)  # type: ignore[no-untyped-call]  # PyTorch gives it no types
        mean = total / number
        variance = squares / number - mean.square()
        self._remember(mean.detach(), (variance * number / (number - 1)).detach())
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normalised: Tensor = (wide - mean[:, None]) * scale[:, None] + self.bias[:, None]
        return normalised.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics, which evaluation uses."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
        self.running_var.lerp_(variance.to(self.running_var), self.momentum)


class _Sum(torch.autograd.Function):
    """Sum over processes; the gradient is the sum of the gradients of all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total
