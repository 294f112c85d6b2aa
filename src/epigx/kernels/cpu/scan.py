"""The selective scan as a PyTorch operator with shape inference and gradients."""

from __future__ import annotations

import ctypes
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
    inputs = (u, *(x.float() for x in (delta, A, B, C, D)))
    keep = torch.is_grad_enabled() and any(x.requires_grad for x in inputs)
    y: Tensor = _scan(*inputs, reverse, keep)[0]
    return y


@torch.library.custom_op("epigx::selective_scan", mutates_args=())
def _scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, reverse: bool, keep: bool
) -> tuple[Tensor, Tensor]:
    inputs = [x.contiguous() for x in (u, delta, A, B, C, D)]
    y, states = _outputs(u, A, keep)
    if y.numel():
        library.call("epigx_scan_forward", _arguments(inputs, reverse, y=y, states=states if keep else None))
    return y, states


@_scan.register_fake
def _outputs_of(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, reverse: bool, keep: bool
) -> tuple[Tensor, Tensor]:
    return _outputs(u, A, keep)


def _outputs(u: Tensor, A: Tensor, keep: bool) -> tuple[Tensor, Tensor]:
    """Allocate y, and the states if they are kept."""
    floats = _states_kept(u, A) if keep else 0
    return torch.empty_like(u, memory_format=torch.contiguous_format), u.new_empty(floats, dtype=torch.float32)


def _states_kept(u: Tensor, A: Tensor) -> int:
    """Return the size, in floats, of the states at the start of all chunks (single_scan.hpp)."""
    batch, length, channels = u.shape
    return batch * -(-length // 32) * -(-channels // 128) * 128 * -(-A.shape[1] // 4) * 4


@torch.library.custom_op("epigx::selective_scan_backward", mutates_args=())
def _scan_backward(
    dy: Tensor,
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    states: Tensor,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    dy, *inputs = (x.contiguous() for x in (dy, u, delta, A, B, C, D))
    if states.numel() != _states_kept(u, A):
        raise RuntimeError(library.NOTHING_KEPT)
    gradients = [torch.empty_like(x) if dy.numel() else torch.zeros_like(x) for x in inputs]
    if dy.numel():
        names = ("du", "d_delta", "dA", "dB", "dC", "dD")
        own = dict(zip(names, gradients, strict=True))
        library.call("epigx_scan_backward", _arguments(inputs, reverse, states=states, dy=dy, **own))
    du, d_delta, dA, dB, dC, dD = gradients
    return du, d_delta, dA, dB, dC, dD


@_scan_backward.register_fake
def _gradients_of(
    dy: Tensor,
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    states: Tensor,
    reverse: bool,
) -> tuple[Tensor, ...]:
    return tuple(torch.empty_like(x, memory_format=torch.contiguous_format) for x in (u, delta, A, B, C, D))


def _arguments(inputs: list[Tensor], reverse: bool, **others: Tensor | None) -> _Arguments:
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
    *tensors, ctx.reverse, _ = inputs
    ctx.save_for_backward(*tensors, output[1])
    ctx.set_materialize_grads(False)


def _gradients(ctx: Any, dy: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
    if dy is None:
        return (None,) * 8
    return *_scan_backward(dy, *ctx.saved_tensors, ctx.reverse), None, None


_scan.register_autograd(_gradients, setup_context=_keep)
