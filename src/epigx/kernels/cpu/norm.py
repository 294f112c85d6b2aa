"""Residual addition and RMSNorm as PyTorch operators with shape inference and gradients."""

from __future__ import annotations

import ctypes
from typing import Any

import torch
from torch import Tensor

from epigx.kernels.cpu import library

__all__ = ["add_rms_norm", "call"]


class _Arguments(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("width", "bfloat16", "residual_bfloat16", "threads")),
        ("eps", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("x", "residual", "weight", "sum", "normed")),
        *((name, ctypes.c_void_p) for name in ("d_sum", "d_normed", "dx", "d_residual", "d_weight")),
    ]


def add_rms_norm(x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See :func:`epigx.kernels.add_rms_norm`."""
    if residual is None:
        return x, _norm(x, weight.float(), eps)
    if residual.dtype not in (torch.float32, torch.bfloat16):
        residual = residual.float()
    total, normed = _add_norm(x, residual, weight.float(), eps)
    return total, normed


@torch.library.custom_op("epigx::rms_norm", mutates_args=())
def _norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    x, weight = x.contiguous(), weight.contiguous()
    normed = torch.empty_like(x)
    call("epigx_norm_forward", eps, x=x, weight=weight, normed=normed)
    return normed


@_norm.register_fake
def _(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return library.like(x)


@torch.library.custom_op("epigx::rms_norm_backward", mutates_args=())
def _norm_backward(d_normed: Tensor, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    d_normed, x, weight = d_normed.contiguous(), x.contiguous(), weight.contiguous()
    dx, d_weight = torch.empty_like(x), torch.empty_like(weight)
    call("epigx_norm_backward", eps, x=x, weight=weight, d_normed=d_normed, dx=dx, d_weight=d_weight)
    return dx, d_weight


@_norm_backward.register_fake
def _(d_normed: Tensor, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    return library.like(x), library.like(weight)


def _keep_norm(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.eps = inputs
    ctx.save_for_backward(*tensors)


def _norm_gradients(ctx: Any, d_normed: Tensor) -> tuple[Tensor | None, ...]:
    return *_norm_backward(d_normed, *ctx.saved_tensors, ctx.eps), None


_norm.register_autograd(_norm_gradients, setup_context=_keep_norm)


@torch.library.custom_op("epigx::add_rms_norm", mutates_args=())
def _add_norm(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    x, residual, weight = x.contiguous(), residual.contiguous(), weight.contiguous()
    library.check(x, "x", residual=(residual, x.shape))
    total, normed = torch.empty_like(x, dtype=torch.float32), torch.empty_like(x)
    call("epigx_norm_forward", eps, x=x, residual=residual, weight=weight, sum=total, normed=normed)
    return total, normed


@_add_norm.register_fake
def _(x: Tensor, residual: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    return library.like(x, torch.float32), library.like(x)


@torch.library.custom_op("epigx::add_rms_norm_backward", mutates_args=())
def _add_norm_backward(
    d_total: Tensor | None, d_normed: Tensor, total: Tensor, weight: Tensor, eps: float, residual_dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of x, of the residual stream (empty if equal to that of x) and of the weight."""
    d_total = None if d_total is None else d_total.contiguous()
    d_normed, weight = d_normed.contiguous(), weight.contiguous()
    dx, d_residual, d_weight = _add_norm_gradients_of(d_total, d_normed, total, weight, eps, residual_dtype)
    own = {"d_sum": d_total, "d_normed": d_normed, "d_residual": d_residual if d_residual.numel() else None}
    call("epigx_norm_backward", eps, x=dx, weight=weight, sum=total, dx=dx, d_weight=d_weight, **own)
    return dx, d_residual, d_weight


@_add_norm_backward.register_fake
def _add_norm_gradients_of(
    d_total: Tensor | None, d_normed: Tensor, total: Tensor, weight: Tensor, eps: float, residual_dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    same = residual_dtype == d_normed.dtype
    d_residual = d_normed.new_empty(0) if same else library.like(d_normed, residual_dtype)
    return library.like(d_normed), d_residual, library.like(weight)


def _keep_add_norm(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    x, residual, weight, ctx.eps = inputs
    ctx.dtypes = x.dtype, residual.dtype
    ctx.save_for_backward(output[0], weight)
    ctx.set_materialize_grads(False)


def _add_norm_gradients(ctx: Any, d_total: Tensor | None, d_normed: Tensor | None) -> tuple[Tensor | None, ...]:
    mixed, stream = ctx.dtypes
    if d_normed is None:
        return *((None, None) if d_total is None else (d_total.to(mixed), d_total.to(stream))), None, None
    dx, d_residual, d_weight = _add_norm_backward(d_total, d_normed, *ctx.saved_tensors, ctx.eps, stream)
    return dx, d_residual if mixed != stream else dx, d_weight, None


_add_norm.register_autograd(_add_norm_gradients, setup_context=_keep_add_norm)


def call(function: str, eps: float, *, x: Tensor, weight: Tensor, **others: Tensor | None) -> None:
    """Call the library on contiguous tensors; the backward pass uses only precision and shape of x."""
    width = x.shape[-1]
    library.check(x, "x", weight=(weight, (width,)))
    residual = next((others[name] for name in ("residual", "d_residual") if others.get(name) is not None), x)
    assert residual is not None
    arguments = _Arguments(
        rows=x.numel() // max(width, 1),
        width=width,
        bfloat16=x.dtype == torch.bfloat16,
        residual_bfloat16=residual.dtype == torch.bfloat16,
        threads=torch.get_num_threads(),
        eps=eps,
        **library.addresses({"x": x, "weight": weight, **others}),
    )
    library.call(function, arguments)
