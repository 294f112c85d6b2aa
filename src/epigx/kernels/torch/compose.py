"""The inner part of a Mamba block, composed of a scan and a convolution."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from epigx.kernels.params import Direction

__all__ = ["compose"]


class Scan(Protocol):
    """A selective scan."""

    def __call__(
        self, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, reverse: bool
    ) -> Tensor: ...


class Conv(Protocol):
    """A causal depthwise convolution."""

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor, *, reverse: bool) -> Tensor: ...


def compose(xz: Tensor, forward: Direction, reverse: Direction | None, *, scan: Scan, conv: Conv) -> Tensor:
    """Add the outputs of both directions and apply the gate; the reverse one starts at the window's end."""
    x, z = xz.chunk(2, dim=-1)
    y = _direction(x, forward, scan, conv, reverse=False)
    if reverse is not None:
        y = y + _direction(x, reverse, scan, conv, reverse=True)
    return y * functional.silu(z)


def _direction(x: Tensor, p: Direction, scan: Scan, conv: Conv, *, reverse: bool) -> Tensor:
    u = functional.silu(conv(x, p.conv_weight, p.conv_bias, reverse=reverse))
    rank, state = p.dt_rank, p.d_state
    step, B, C = torch.split(functional.linear(u, p.x_proj.to(u.dtype)), [rank, state, state], dim=-1)
    # The step's bias and softplus stay in full precision, because small steps give long memory.
    precise = torch.promote_types(u.dtype, torch.float32)
    delta = functional.softplus(functional.linear(step, p.dt_weight.to(step.dtype)).to(precise) + p.dt_bias.to(precise))
    A = -torch.exp(p.A_log.to(precise))
    return scan(u, delta, A, B, C, p.D, reverse=reverse)
