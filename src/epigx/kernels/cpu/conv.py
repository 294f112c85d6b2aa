"""The causal convolution as a PyTorch operator with shape inference and gradients."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library

__all__ = ["causal_conv1d"]


class _Arguments(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "length")),
        *((name, ctypes.c_int32) for name in ("channels", "taps", "reverse", "bfloat16", "threads")),
        *((name, ctypes.c_void_p) for name in ("x", "weight", "bias", "y", "dy", "dx", "d_weight", "d_bias")),
    ]


def causal_conv1d(x: Tensor, weight: Tensor, bias: Tensor, *, reverse: bool = False) -> Tensor:
    """See :func:`epigx.kernels.causal_conv1d`."""
    y: Tensor = _conv(x, weight.float(), bias.float(), reverse)
    return y


@torch.library.custom_op("epigx::causal_conv1d", mutates_args=())
def _conv(x: Tensor, weight: Tensor, bias: Tensor, reverse: bool) -> Tensor:
    x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()
    y = torch.empty_like(x)
    if y.numel():
        library.call("epigx_conv_forward", _arguments((x, weight, bias), reverse, y=y))
    return y


@_conv.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor, reverse: bool) -> Tensor:
    return library.like(x)


@torch.library.custom_op("epigx::causal_conv1d_backward", mutates_args=())
def _conv_backward(dy: Tensor, inputs: Sequence[Tensor], reverse: bool) -> list[Tensor]:
    dy, *inputs = (tensor.contiguous() for tensor in (dy, *inputs))
    gradients = library.new_gradients(inputs, dy)
    if dy.numel():
        own = dict(zip(("dx", "d_weight", "d_bias"), gradients, strict=True))
        library.call("epigx_conv_backward", _arguments(inputs, reverse, dy=dy, **own))
    return gradients


@_conv_backward.register_fake
def _(dy: Tensor, inputs: Sequence[Tensor], reverse: bool) -> list[Tensor]:
    return list(map(library.like, inputs))


def _arguments(inputs: Sequence[Tensor], reverse: bool, **others: Tensor) -> _Arguments:
    x, weight, bias = inputs
    (batch, length, channels), taps = x.shape, weight.shape[1]
    library.check(x, "x", weight=(weight, (channels, taps)), bias=(bias, (channels,)))
    return _Arguments(
        batch=batch,
        length=length,
        channels=channels,
        taps=taps,
        reverse=reverse,
        bfloat16=x.dtype == torch.bfloat16,
        threads=torch.get_num_threads(),
        **library.addresses({"x": x, "weight": weight, "bias": bias, **others}),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.reverse = inputs
    ctx.save_for_backward(*tensors)


def _gradients(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    return *_conv_backward(dy, list(ctx.saved_tensors), ctx.reverse), None


_conv.register_autograd(_gradients, setup_context=_keep)
