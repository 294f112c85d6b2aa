"""The native operators with output tensors given by the caller, and without autograd.

For code that runs many layers and reuses buffers: only parameter gradients are allocated. Tensors must be contiguous
float32; ValueError says which shape, precision or memory layout does not match. Results are the same as those of the
other operators, bit for bit. Outputs must not overlap inputs, unless an operator's documentation allows it. Those
without a result need no shape inference.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from epigx.kernels.cpu import library
from epigx.kernels.cpu.matmul import backward_into, forward_into, weight_gradient
from epigx.kernels.cpu.norm import call

__all__ = [
    "add_rms_norm",
    "add_rms_norm_backward",
    "bimamba_inner",
    "bimamba_inner_backward",
    "kept_sizes",
    "linear",
    "linear_backward",
    "rms_norm",
    "rms_norm_backward",
    "weight_gradient",
]


def kept_sizes(batch: int, length: int, parameters: Sequence[Tensor]) -> tuple[int, int]:
    """Return the floats of `projected` and `states` that the backward pass needs for a number and length of windows."""
    return library.kept_sizes(library.Shape.with_parameters(batch, length, parameters))


@torch.library.custom_op("epigx::bimamba_inner_out", mutates_args=("out", "projected", "states"))
def bimamba_inner(
    xz: Tensor, parameters: Sequence[Tensor], out: Tensor, projected: Tensor | None, states: Tensor | None
) -> None:
    """Fill `out`, and `projected` and `states` if given; see :func:`epigx.kernels.bimamba_inner`.

    Parameters
    ----------
    parameters : sequence of Tensor
        The fields of one :class:`~epigx.kernels.Direction`, or of two one after the other.
    projected, states : Tensor or None
        Receive what :func:`bimamba_inner_backward` needs; flat, with the sizes of :func:`kept_sizes`.
    """
    shape = library.Shape.of(xz, parameters)
    library.check(xz, "xz", out=(out, (shape.batch, shape.length, shape.channels)))
    _check(xz, out, *parameters)
    kept = None if projected is None or states is None else (projected, states)
    if kept is not None:
        _check_kept(shape, kept)
    elif projected is not None or states is not None:
        raise ValueError("projected and states belong together: give both or neither.")
    if out.numel():
        library.forward(xz, parameters, out, kept)


@torch.library.custom_op("epigx::bimamba_inner_backward_out", mutates_args=("d_xz",))
def bimamba_inner_backward(
    d_out: Tensor, xz: Tensor, parameters: Sequence[Tensor], projected: Tensor, states: Tensor, d_xz: Tensor
) -> list[Tensor]:
    """Fill `d_xz` and return the parameter gradients, as new tensors; needs what :func:`bimamba_inner` kept."""
    shape = library.Shape.of(xz, parameters)
    library.check(xz, "xz", d_xz=(d_xz, xz.shape), d_out=(d_out, (shape.batch, shape.length, shape.channels)))
    _check(xz, d_out, d_xz, *parameters)
    _check_kept(shape, (projected, states))
    gradients = [torch.zeros_like(p) for p in parameters]
    if d_out.numel():
        library.backward(d_out, xz, parameters, (projected, states), d_xz, gradients)
    return gradients


@bimamba_inner_backward.register_fake
def _(
    d_out: Tensor, xz: Tensor, parameters: Sequence[Tensor], projected: Tensor, states: Tensor, d_xz: Tensor
) -> list[Tensor]:
    return [torch.empty_like(p) for p in parameters]


@torch.library.custom_op("epigx::linear_out", mutates_args=("y",))
def linear(x: Tensor, weight: Tensor, y: Tensor) -> None:
    """Fill `y` with x Wᵀ; see :func:`epigx.kernels.linear`."""
    _check(x, weight, y)
    forward_into(x, weight, None, y)


@torch.library.custom_op("epigx::linear_backward_out", mutates_args=("dx",))
def linear_backward(dy: Tensor, weight: Tensor, dx: Tensor) -> None:
    """Fill `dx`, the gradient of the input, with dy W."""
    _check(dy, weight, dx)
    backward_into(dy, weight, dx)


@torch.library.custom_op("epigx::rms_norm_out", mutates_args=("normed",))
def rms_norm(x: Tensor, weight: Tensor, eps: float, normed: Tensor) -> None:
    """Fill `normed` with ``x / sqrt(mean(x²) + eps) · weight`` over the last axis."""
    _check_rows(x, weight, normed=normed)
    call("epigx_norm_forward", eps, x=x, weight=weight, normed=normed)


@torch.library.custom_op("epigx::rms_norm_backward_out", mutates_args=("dx",))
def rms_norm_backward(d_normed: Tensor, x: Tensor, weight: Tensor, eps: float, dx: Tensor) -> Tensor:
    """Fill `dx` and return the gradient of the weight, as a new tensor."""
    _check_rows(x, weight, d_normed=d_normed, dx=dx)
    d_weight = torch.empty_like(weight)
    call("epigx_norm_backward", eps, x=x, weight=weight, d_normed=d_normed, dx=dx, d_weight=d_weight)
    return d_weight


@rms_norm_backward.register_fake
def _(d_normed: Tensor, x: Tensor, weight: Tensor, eps: float, dx: Tensor) -> Tensor:
    return torch.empty_like(weight)


@torch.library.custom_op("epigx::add_rms_norm_out", mutates_args=("total", "normed"))
def add_rms_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float, total: Tensor, normed: Tensor) -> None:
    """Fill `total` with ``residual + x`` and `normed` with its norm; see :func:`epigx.kernels.add_rms_norm`.

    `total` may be the same tensor as `residual`, and `normed` the same as `total` if the sum is not needed.
    """
    _check_rows(x, weight, residual=residual, total=total, normed=normed)
    call("epigx_norm_forward", eps, x=x, weight=weight, residual=residual, sum=total, normed=normed)


@torch.library.custom_op("epigx::add_rms_norm_backward_out", mutates_args=("dx",))
def add_rms_norm_backward(
    d_total: Tensor | None, d_normed: Tensor, total: Tensor, weight: Tensor, eps: float, dx: Tensor
) -> Tensor:
    """Fill `dx`, the gradient of both summands, and return the gradient of the weight, as a new tensor.

    `total` is the sum from the forward pass; `d_total` may be the same tensor as `dx`.
    """
    _check_rows(total, weight, d_normed=d_normed, dx=dx, **({} if d_total is None else {"d_total": d_total}))
    d_weight = torch.empty_like(weight)
    own = {"sum": total, "d_sum": d_total, "d_normed": d_normed, "dx": dx, "d_weight": d_weight}
    call("epigx_norm_backward", eps, x=dx, weight=weight, **own)
    return d_weight


@add_rms_norm_backward.register_fake
def _(d_total: Tensor | None, d_normed: Tensor, total: Tensor, weight: Tensor, eps: float, dx: Tensor) -> Tensor:
    return torch.empty_like(weight)


def _check(*tensors: Tensor) -> None:
    """Check what the library cannot check, because it only receives addresses."""
    for tensor in tensors:
        if tensor.dtype != torch.float32 or not tensor.is_contiguous():
            kind = f"{tensor.dtype}, {'' if tensor.is_contiguous() else 'not '}contiguous"
            raise ValueError(f"All tensors must be contiguous float32, but one is {kind}.")


def _check_rows(x: Tensor, weight: Tensor, **others: Tensor) -> None:
    library.check(x, "x", **{name: (tensor, tuple(x.shape)) for name, tensor in others.items()})
    _check(x, weight, *others.values())


def _check_kept(shape: library.Shape, kept: tuple[Tensor, Tensor]) -> None:
    _check(*kept)
    if (sizes := tuple(tensor.numel() for tensor in kept)) != (needed := library.kept_sizes(shape)):
        raise ValueError(f"The backward pass needs {needed} floats, but projected and states have {sizes}.")
