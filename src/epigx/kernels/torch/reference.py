"""The recurrences step by step, as reference for tests; in float64 if the input is.

Autograd costs O(L), because `unbind` returns all steps at once; indexing `[:, t]` in the loop would cost O(L²).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from epigx.kernels.params import Direction
from epigx.kernels.torch.block import add_rms_norm, compose, linear

__all__ = ["add_rms_norm", "bimamba_inner", "causal_conv1d", "linear", "selective_scan"]


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, reverse: bool = False
) -> Tensor:
    """Step through h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t;  y_t = C_t · h_t + D u_t, from h = 0."""
    dtype = torch.promote_types(u.dtype, torch.float32)
    steps = list(zip(*(x.to(dtype).unbind(1) for x in (u, delta, B, C)), strict=True))
    A, D = A.to(dtype), D.to(dtype)
    state = A.new_zeros(u.shape[0], *A.shape)
    outputs = []
    for u_t, delta_t, B_t, C_t in reversed(steps) if reverse else steps:
        state = torch.exp(delta_t[..., None] * A) * state + (delta_t * u_t)[..., None] * B_t[:, None]
        outputs.append((state * C_t[:, None]).sum(-1) + D * u_t)
    return torch.stack(outputs[::-1] if reverse else outputs, dim=1).to(u.dtype)


def causal_conv1d(x: Tensor, weight: Tensor, bias: Tensor, *, reverse: bool = False) -> Tensor:
    """Apply PyTorch's depthwise convolution to the window, zero-padded before its start."""
    x = x.flip(1) if reverse else x
    padded = functional.pad(x.mT, (weight.shape[1] - 1, 0))
    y = functional.conv1d(padded, weight[:, None].to(x.dtype), bias.to(x.dtype), groups=x.shape[2]).mT
    return y.flip(1) if reverse else y


def bimamba_inner(xz: Tensor, forward: Direction, reverse: Direction | None) -> Tensor:
    """Both directions of a block between its two projections."""
    return compose(xz, forward, reverse, scan=selective_scan, conv=causal_conv1d)
