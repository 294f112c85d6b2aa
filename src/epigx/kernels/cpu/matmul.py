"""Products with the weights of a linear layer as PyTorch operators, with shapes for tracing and the gradient."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library
from epigx.kernels.torch import linear as plain

__all__ = ["backward_into", "forward_into", "linear", "weight_gradient"]

ROWS = 2**15
"""Rows of one sum for the gradient of the weights; the sums are added up, so that no sum has too many terms."""

MARGIN = 32
"""Floats that a tensor's memory has beyond it: 128 bytes, more than what glibc asks for besides (64 to align, 32)."""


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
    """See :func:`epigx.kernels.linear`; bfloat16 takes PyTorch's products, which have instructions of their own."""
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
def _output_of(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return x.new_empty(*x.shape[:-1], weight.shape[0])


@torch.library.custom_op("epigx::linear_backward", mutates_args=())
def _linear_backward(dy: Tensor, weight: Tensor) -> Tensor:
    dx = _new(dy, *dy.shape[:-1], weight.shape[1])
    backward_into(dy.contiguous(), weight.contiguous(), dx)
    return dx


@_linear_backward.register_fake
def _input_of(dy: Tensor, weight: Tensor) -> Tensor:
    return dy.new_empty(*dy.shape[:-1], weight.shape[1])


@torch.library.custom_op("epigx::linear_weight_gradient", mutates_args=())
def weight_gradient(dy: Tensor, x: Tensor) -> Tensor:
    """Return the gradient of the weights, Σ dyᵀ x over all positions.

    Parameters
    ----------
    dy : Float[Tensor, "*position out"]
        The gradient of the result, float32.
    x : Float[Tensor, "*position in"]
        What the layer read, float32.

    Raises
    ------
    ValueError
        The positions or precisions are not the same.
    """
    dy, x = (plain.rows(tensor).contiguous() for tensor in (dy, x))
    library.check(x, "x", dy=(dy, (len(x), dy.shape[1])))
    if (dy.dtype, x.dtype) != (torch.float32, torch.float32):
        raise ValueError(f"The gradient of weights is made of float32, and dy is {dy.dtype}, x {x.dtype}.")
    wide = dy.shape[1] > x.shape[1]  # the wider one in vectors
    left, right = (x, dy) if wide else (dy, x)
    total = left.new_zeros(left.shape[1], right.shape[1])
    if not total.numel():
        return left.new_empty(dy.shape[1], x.shape[1])
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        total += _sum(left[rows], right[rows])
    return total.T.contiguous() if wide else total


@weight_gradient.register_fake
def _weight_gradient_of(dy: Tensor, x: Tensor) -> Tensor:
    return x.new_empty(dy.shape[-1], x.shape[-1])


def _new(like: Tensor, *shape: int) -> Tensor:
    """Make a tensor with a margin, so that once it is freed its place is large enough for another one of its size.

    To align a tensor PyTorch asks the C library for up to a hundred bytes more than it has, and those around the place
    of a freed one are soon taken by small blocks; memory would then grow by a tensor for each that is freed.
    """
    numel = math.prod(shape)
    return like.new_empty(numel + MARGIN)[:numel].view(shape)


def forward_into(x: Tensor, weight: Tensor, bias: Tensor | None, y: Tensor) -> None:
    """Fill `y` with x Wᵀ + bias; all contiguous float32.

    Raises
    ------
    ValueError
        A tensor's shape is not what the others ask for.
    """
    out, wide = weight.shape
    others = {} if bias is None else {"bias": (bias, (out,))}
    library.check(weight, "the weight", x=(x, (*x.shape[:-1], wide)), y=(y, (*x.shape[:-1], out)), **others)
    _call(x, weight, bias, y, back=False)


def backward_into(dy: Tensor, weight: Tensor, dx: Tensor) -> None:
    """Fill `dx` with dy W; all contiguous float32.

    Raises
    ------
    ValueError
        A tensor's shape is not what the others ask for.
    """
    out, wide = weight.shape
    library.check(weight, "the weight", dy=(dy, (*dy.shape[:-1], out)), dx=(dx, (*dy.shape[:-1], wide)))
    _call(dy, weight, None, dx, back=True)


def _call(x: Tensor, weight: Tensor, bias: Tensor | None, y: Tensor, *, back: bool) -> None:
    arguments = _Arguments(
        rows=x.shape[:-1].numel(),
        out=y.shape[-1],
        back=back,
        threads=torch.get_num_threads(),
        **{"in": x.shape[-1]},  # a word of Python's
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
