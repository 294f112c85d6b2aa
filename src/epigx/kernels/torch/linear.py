"""A linear layer in plain PyTorch, for any device; used by all kernels but the native one.

On a CPU and without bias, as in Mamba's projections, the weight gradient is summed over blocks of rows: with hundreds
of thousands of rows, a single matrix product can be ten times slower than several smaller ones.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["linear", "rows"]

ROWS = 2**15
"""Rows per matrix product of the weight gradient."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """See :func:`epigx.kernels.linear`."""
    if bias is not None or x.device.type != "cpu" or not torch.is_grad_enabled():
        return functional.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))
    y: Tensor = _Linear.apply(x, weight)  # type: ignore[no-untyped-call]
    return y


class _Linear(torch.autograd.Function):
    """Keeps the precision of the weights, so that their gradient is not rounded to the precision of x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.linear(x, weight.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        dx = functional.linear(dy, weight.to(dy.dtype).T) if ctx.needs_input_grad[0] else None
        return dx, _weight_gradient(dy, x).to(weight.dtype) if ctx.needs_input_grad[1] else None


def rows(x: Tensor) -> Tensor:
    """Flatten all axes but the last; also works for a single axis and for no columns."""
    return x.reshape(x.shape[:-1].numel(), x.shape[-1])


def _weight_gradient(dy: Tensor, x: Tensor) -> Tensor:
    dy, x = rows(dy), rows(x)
    wide = dy.shape[1] > x.shape[1]  # faster with the wider factor on the right
    left, right = (x, dy) if wide else (dy, x)
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    for first in range(0, len(x), ROWS):
        part = slice(first, first + ROWS)
        total += left[part].T @ right[part]
    return total.T if wide else total
