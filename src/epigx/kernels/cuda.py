"""Adapter for mamba-ssm's CUDA kernel.

It needs a GPU and mamba-ssm and is not covered by the test suite, so it only changes the order of axes.
"""

from __future__ import annotations

from importlib.util import find_spec

from torch import Tensor

from epigx.kernels.params import Direction
from epigx.kernels.torch.block import add_rms_norm, compose, linear
from epigx.kernels.torch.chunked import causal_conv1d

__all__ = ["add_rms_norm", "bimamba_inner", "causal_conv1d", "linear", "missing", "selective_scan"]


def missing() -> str | None:
    """Return why the kernel cannot be used, or None if it can."""
    return "mamba-ssm is not installed" if find_spec("mamba_ssm") is None else None


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, reverse: bool = False
) -> Tensor:
    """See :func:`epigx.kernels.selective_scan`."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    steps = [x.flip(1) if reverse else x for x in (u, delta.to(u.dtype), B.to(u.dtype), C.to(u.dtype))]
    u_, delta_, B_, C_ = (x.mT.contiguous() for x in steps)
    y: Tensor = selective_scan_fn(u_, delta_, A.float(), B_, C_, D.float()).mT
    return y.flip(1) if reverse else y


def bimamba_inner(xz: Tensor, forward: Direction, reverse: Direction | None) -> Tensor:
    """See :func:`epigx.kernels.bimamba_inner`."""
    return compose(xz, forward, reverse, scan=selective_scan, conv=causal_conv1d)
