"""A linear layer in plain PyTorch, for any device and by every other kernel.

On a CPU and without a bias, as Mamba's projections are, the gradient of the weights is made a few rows at a time: with
hundreds of thousands of them, a library's product can be ten times slower than several of fewer rows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["linear", "rows"]

ROWS = 2**15
"""Rows of one product for the gradient."""


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """See :func:`epigx.kernels.linear`."""
    if bias is not None or x.device.type != "cpu" or not torch.is_grad_enabled():
        return functional.linear(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype))
    y: Tensor = _Linear.apply(x, weight)  # type: ignore[no-untyped-call]
    return y


class _Linear(torch.autograd.Function):
    """Keeps the weights in their own precision, so that their gradient is not rounded to that of x."""

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
    """Return the positions in one axis, also where there is one alone, and where there are no columns."""
    return x.reshape(x.shape[:-1].numel(), x.shape[-1])


def _weight_gradient(dy: Tensor, x: Tensor) -> Tensor:
    dy, x = rows(dy), rows(x)
    wide = dy.shape[1] > x.shape[1]  # the wider factor on the right is the faster way round
    left, right = (x, dy) if wide else (dy, x)
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    for first in range(0, len(x), ROWS):
        part = slice(first, first + ROWS)
        total += left[part].T @ right[part]
    return total.T if wide else total
