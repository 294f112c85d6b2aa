"""Residual addition and RMSNorm in plain PyTorch; used by all kernels but the native one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["add_rms_norm"]


def add_rms_norm(x: Tensor, residual: Tensor | None, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """See :func:`epigx.kernels.add_rms_norm`."""
    precise = torch.promote_types(x.dtype, torch.float32)
    total = x if residual is None else residual.to(precise) + x.to(precise)
    return total, functional.rms_norm(total.to(precise), weight.shape, weight.to(precise), eps).to(x.dtype)
