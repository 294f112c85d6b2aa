"""The selective scan as a PyTorch operator with shape inference and gradients."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library

__all__ = ["selective_scan"]


class _Arguments(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "length")),
        *((name, ctypes.c_int32) for name in ("channels", "state", "reverse", "bfloat16", "threads")),
        *((name, ctypes.c_void_p) for name in ("u", "delta", "A", "B", "C", "D", "y", "states")),
        *((name, ctypes.c_void_p) for name in ("dy", "du", "d_delta", "dA", "dB", "dC", "dD")),
    ]


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, reverse: bool = False
) -> Tensor:
    """See :func:`epigx.kernels.selective_scan`."""
    inputs = [u, *(x.float() for x in (delta, A, B, C, D))]
    keep = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
    y: Tensor = _scan(inputs, reverse, keep)[0]
    return y


@torch.library.custom_op("epigx::selective_scan", mutates_args=())
def _scan(inputs: Sequence[Tensor], reverse: bool, keep: bool) -> tuple[Tensor, Tensor]:
    inputs = [x.contiguous() for x in inputs]
    y, states = _outputs(inputs, keep)
    if y.numel():
        library.call("epigx_scan_forward", _arguments(inputs, reverse, y=y, states=states if keep else None))
    return y, states


@_scan.register_fake
def _(inputs: Sequence[Tensor], reverse: bool, keep: bool) -> tuple[Tensor, Tensor]:
    return _outputs(inputs, keep)


def _outputs(inputs: Sequence[Tensor], keep: bool) -> tuple[Tensor, Tensor]:
    """Allocate y, and the states if they are kept."""
    floats = _states_kept(inputs) if keep else 0
    return library.like(inputs[0]), inputs[0].new_empty(floats, dtype=torch.float32)


def _states_kept(inputs: Sequence[Tensor]) -> int:
    """Return the size, in floats, of the states at the start of all chunks (single_scan.hpp)."""
    (batch, length, channels), state = inputs[0].shape, inputs[2].shape[1]
    return batch * -(-length // 32) * -(-channels // 128) * 128 * -(-state // 4) * 4


@torch.library.custom_op("epigx::selective_scan_backward", mutates_args=())
def _scan_backward(dy: Tensor, inputs: Sequence[Tensor], states: Tensor, reverse: bool) -> list[Tensor]:
    dy, *inputs = (x.contiguous() for x in (dy, *inputs))
    if states.numel() != _states_kept(inputs):
        raise RuntimeError(library.NOTHING_KEPT)
    gradients = library.new_gradients(inputs, dy)
    if dy.numel():
        own = dict(zip(("du", "d_delta", "dA", "dB", "dC", "dD"), gradients, strict=True))
        library.call("epigx_scan_backward", _arguments(inputs, reverse, states=states, dy=dy, **own))
    return gradients


@_scan_backward.register_fake
def _(dy: Tensor, inputs: Sequence[Tensor], states: Tensor, reverse: bool) -> list[Tensor]:
    return list(map(library.like, inputs))


def _arguments(inputs: Sequence[Tensor], reverse: bool, **others: Tensor | None) -> _Arguments:
    u, delta, A, B, C, D = inputs
    (batch, length, channels), state = u.shape, A.shape[1]
    library.check(u, "u", delta=(delta, u.shape), A=(A, (channels, state)), D=(D, (channels,)))
    library.check(u, "u", B=(B, (batch, length, state)), C=(C, (batch, length, state)))
    tensors = {"u": u, "delta": delta, "A": A, "B": B, "C": C, "D": D, **others}
    return _Arguments(
        batch=batch,
        length=length,
        channels=channels,
        state=state,
        reverse=reverse,
        bfloat16=u.dtype == torch.bfloat16,
        threads=torch.get_num_threads(),
        **library.addresses(tensors),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    tensors, ctx.reverse, _ = inputs
    ctx.save_for_backward(output[1], *tensors)
    ctx.set_materialize_grads(False)


def _gradients(ctx: Any, dy: Tensor | None, _: None) -> tuple[list[Tensor] | None, None, None]:
    if dy is None:
        return None, None, None
    states, *inputs = ctx.saved_tensors
    return _scan_backward(dy, inputs, states, ctx.reverse), None, None


_scan.register_autograd(_gradients, setup_context=_keep)
