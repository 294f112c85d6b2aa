"""The parts of a Mamba block in plain PyTorch, for any device; used by all kernels but the native one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from epigx.kernels.params import Direction

__all__ = ["add_rms_norm", "compose", "linear", "rows"]

Kernel = Callable[..., Tensor]

ROWS = 2**15
"""Rows per matrix product of the weight gradient."""


def compose(xz: Tensor, forward: Direction, reverse: Direction | None, *, scan: Kernel, conv: Kernel) -> Tensor:
    """Add the outputs of both directions and apply the gate; the reverse one starts at the window's end."""
    x, z = xz.chunk(2, dim=-1)
    y = _direction(x, forward, scan, conv, reverse=False)
    if reverse is not None:
        y = y + _direction(x, reverse, scan, conv, reverse=True)
    return y * functional.silu(z)


def _direction(x: Tensor, p: Direction, scan: Kernel, conv: Kernel, *, reverse: bool) -> Tensor:
    u = functional.silu(conv(x, p.conv_weight, p.conv_bias, reverse=reverse))
    rank, state = p.dt_rank, p.d_state
    step, B, C = torch.split(functional.linear(u, p.x_proj.to(u.dtype)), [rank, state, state], dim=-1)
    # The step's bias and softplus stay in full precision, because small steps give long memory.
    precise = torch.promote_types(u.dtype, torch.float32)
    delta = functional.softplus(functional.linear(step, p.dt_weight.to(step.dtype)).to(precise) + p.dt_bias.to(precise))
    A = -torch.exp(p.A_log.to(precise))
    return scan(u, delta, A, B, C, p.D, reverse=reverse)


def add_rms_norm(x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See :func:`epigx.kernels.add_rms_norm`."""
    precise = torch.promote_types(x.dtype, torch.float32)
    total = x if residual is None else residual.to(precise) + x.to(precise)
    return total, functional.rms_norm(total.to(precise), weight.shape, weight.to(precise), eps).to(x.dtype)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """See :func:`epigx.kernels.linear`.

    On a CPU and without bias, as in Mamba's projections, the weight gradient is summed over blocks of rows: with
    hundreds of thousands of rows, a single matrix product can be ten times slower than several smaller ones.
    """
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
