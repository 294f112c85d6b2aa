"""Linear layers as PyTorch operators with shape inference and gradients."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library
from epigx.kernels.torch import block as plain

__all__ = ["backward_into", "forward_into", "linear", "weight_gradient"]

ROWS = 2**15
"""Rows per partial sum of the weight gradient; partial sums keep it accurate."""

MARGIN = 32
"""Extra floats per tensor: 128 bytes, more than PyTorch and glibc add for alignment (64 bytes) and headers (32)."""


class _Arguments(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("in", "out", "back", "threads")),
        *((name, ctypes.c_void_p) for name in ("x", "weight", "bias", "y")),
    ]


class _Gradient(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("left", "right", "threads")),
        *((name, ctypes.c_void_p) for name in ("a", "b", "sum")),
    ]


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """See :func:`epigx.kernels.linear`; bfloat16 uses PyTorch, which has special instructions for it."""
    if x.dtype != torch.float32:
        return plain.linear(x, weight, bias)
    y: Tensor = _linear(x, weight.float(), None if bias is None else bias.float())
    return y


@torch.library.custom_op("epigx::linear", mutates_args=())
def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    y = _new(x, *x.shape[:-1], weight.shape[0])
    forward_into(x.contiguous(), weight.contiguous(), None if bias is None else bias.contiguous(), y)
    return y


@_linear.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("epigx::linear_backward", mutates_args=())
def _linear_backward(dy: Tensor, weight: Tensor) -> Tensor:
    dx = _new(dy, *dy.shape[:-1], weight.shape[1])
    backward_into(dy.contiguous(), weight.contiguous(), dx)
    return dx


@_linear_backward.register_fake
def _(dy: Tensor, weight: Tensor) -> Tensor:
    return dy.new_empty(*dy.shape[:-1], weight.shape[1])


@torch.library.custom_op("epigx::linear_weight_gradient", mutates_args=())
def weight_gradient(dy: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of the weights, Σ dyᵀ x over all positions, from float32 tensors (*position, channel)."""
    dy, x = (plain.rows(tensor).contiguous() for tensor in (dy, x))
    library.check(x, "x", dy=(dy, (len(x), dy.shape[1])))
    if (dy.dtype, x.dtype) != (torch.float32, torch.float32):
        raise ValueError(f"The weight gradient needs float32 tensors, but dy is {dy.dtype} and x is {x.dtype}.")
    wide = dy.shape[1] > x.shape[1]  # vectorise over the wider one
    left, right = (x, dy) if wide else (dy, x)
    total = left.new_zeros(left.shape[1], right.shape[1])
    if not total.numel():
        return left.new_empty(dy.shape[1], x.shape[1])
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        total += _sum(left[rows], right[rows])
    return total.T.contiguous() if wide else total


@weight_gradient.register_fake
def _(dy: Tensor, x: Tensor) -> Tensor:
    return x.new_empty(dy.shape[-1], x.shape[-1])


def _new(like: Tensor, *shape: int) -> Tensor:
    """Allocate a tensor with a margin, so that its memory can be reused for a tensor of the same size.

    PyTorch asks the C library for up to a hundred extra bytes to align a tensor. Small blocks soon occupy the bytes
    next to a freed tensor, so without a margin its memory would be too small for the next one, and memory would grow.
    """
    numel = math.prod(shape)
    return like.new_empty(numel + MARGIN)[:numel].view(shape)


def forward_into(x: Tensor, weight: Tensor, bias: Tensor | None, y: Tensor) -> None:
    """Fill `y` with x Wᵀ + bias; all contiguous float32."""
    out, wide = weight.shape
    others = {} if bias is None else {"bias": (bias, (out,))}
    library.check(weight, "the weight", x=(x, (*x.shape[:-1], wide)), y=(y, (*x.shape[:-1], out)), **others)
    _call(x, weight, bias, y, back=False)


def backward_into(dy: Tensor, weight: Tensor, dx: Tensor) -> None:
    """Fill `dx` with dy W; all contiguous float32."""
    out, wide = weight.shape
    library.check(weight, "the weight", dy=(dy, (*dy.shape[:-1], out)), dx=(dx, (*dy.shape[:-1], wide)))
    _call(dy, weight, None, dx, back=True)


def _call(x: Tensor, weight: Tensor, bias: Tensor | None, y: Tensor, *, back: bool) -> None:
    arguments = _Arguments(
        rows=x.shape[:-1].numel(),
        out=y.shape[-1],
        back=back,
        threads=torch.get_num_threads(),
        **{"in": x.shape[-1]},  # a Python keyword
        **library.addresses({"x": x, "weight": weight, "bias": bias, "y": y}),
    )
    library.call("epigx_linear", arguments)


def _sum(a: Tensor, b: Tensor) -> Tensor:
    total = a.new_empty(a.shape[1], b.shape[1])
    arguments = _Gradient(
        rows=len(a),
        left=a.shape[1],
        right=b.shape[1],
        threads=torch.get_num_threads(),
        **library.addresses({"a": a, "b": b, "sum": total}),
    )
    library.call("epigx_linear_gradient", arguments)
    return total


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, _ = inputs
    ctx.save_for_backward(x if ctx.needs_input_grad[1] else None, weight)


def _gradients(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    x, weight = ctx.saved_tensors
    for_x, for_weight, for_bias = ctx.needs_input_grad
    return (
        _linear_backward(dy, weight) if for_x else None,
        weight_gradient(dy, x) if for_weight else None,
        plain.rows(dy).sum(0) if for_bias else None,
    )


_linear.register_autograd(_gradients, setup_context=_keep)
