"""The fused block as PyTorch operators with shape inference and gradients, so that export and checkpointing work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library
from epigx.kernels.params import Direction

__all__ = ["bimamba_inner"]


def bimamba_inner(xz: Tensor, forward: Direction, reverse: Direction | None) -> Tensor:
    """See :func:`epigx.kernels.bimamba_inner`."""
    directions = (forward,) if reverse is None else (forward, reverse)
    parameters = [p.float() for direction in directions for p in direction]
    keep = torch.is_grad_enabled() and any(x.requires_grad for x in (xz, *parameters))
    out: Tensor = _block(xz, parameters, keep)[0]
    return out


@torch.library.custom_op("epigx::bimamba_inner", mutates_args=())
def _block(xz: Tensor, parameters: Sequence[Tensor], keep: bool) -> tuple[Tensor, Tensor, Tensor]:
    xz, parameters = xz.contiguous(), [p.contiguous() for p in parameters]
    shape = library.Shape.of(xz, parameters)
    out = xz.new_empty(shape.batch, shape.length, shape.channels)
    sizes = library.kept_sizes(shape) if keep else (0, 0)
    kept = (xz.new_empty(sizes[0], dtype=torch.float32), xz.new_empty(sizes[1], dtype=torch.float32))
    if out.numel():
        library.forward(xz, parameters, out, kept if keep else None)
    return out, *kept


@_block.register_fake
def _(xz: Tensor, parameters: Sequence[Tensor], keep: bool) -> tuple[Tensor, Tensor, Tensor]:
    shape = library.Shape.of(xz, parameters)
    out = xz.new_empty(shape.batch, shape.length, shape.channels)
    # The same as kept_sizes (scan.hpp, block.hpp), in Python arithmetic that also works for symbolic lengths.
    state = _round_up(shape.state, 4)
    sequences = shape.directions * shape.batch if keep else 0
    projected = sequences * shape.length * _round_up(shape.rank + 2 * state, 16)
    states = sequences * ((shape.length + 31) // 32) * _round_up(shape.channels, 128) * state
    return out, xz.new_empty(projected, dtype=torch.float32), xz.new_empty(states, dtype=torch.float32)


def _round_up(n: int, step: int) -> int:
    return -(-n // step) * step


@torch.library.custom_op("epigx::bimamba_inner_backward", mutates_args=())
def _block_backward(
    d_out: Tensor, xz: Tensor, parameters: Sequence[Tensor], projected: Tensor, states: Tensor
) -> list[Tensor]:
    d_out, xz, parameters = d_out.contiguous(), xz.contiguous(), [p.contiguous() for p in parameters]
    if (projected.numel(), states.numel()) != library.kept_sizes(library.Shape.of(xz, parameters)):
        raise RuntimeError(library.NOTHING_KEPT)
    d_xz, *gradients = library.new_gradients([xz, *parameters], d_out)
    if d_out.numel():
        library.backward(d_out, xz, parameters, (projected, states), d_xz, gradients)
    return [d_xz, *gradients]


@_block_backward.register_fake
def _(d_out: Tensor, xz: Tensor, parameters: Sequence[Tensor], projected: Tensor, states: Tensor) -> list[Tensor]:
    return [library.like(each) for each in (xz, *parameters)]


def _keep(ctx: Any, inputs: tuple[Tensor, Sequence[Tensor], bool], output: tuple[Tensor, Tensor, Tensor]) -> None:
    xz, parameters, _ = inputs
    ctx.save_for_backward(xz, *output[1:], *parameters)
    ctx.set_materialize_grads(False)  # otherwise PyTorch allocates zeros as large as the kept tensors


def _gradients(ctx: Any, d_out: Tensor | None, *_: None) -> tuple[Tensor | None, list[Tensor] | None, None]:
    if d_out is None:
        return None, None, None
    xz, projected, states, *parameters = ctx.saved_tensors
    d_xz, *gradients = _block_backward(d_out, xz, parameters, projected, states)
    return d_xz, gradients, None


_block.register_autograd(_gradients, setup_context=_keep)
