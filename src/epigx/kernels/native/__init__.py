"""The C++ kernel for CPUs: one fused operator for both directions of a block."""

from __future__ import annotations

from epigx.kernels.chunked import causal_conv1d, selective_scan
from epigx.kernels.native.library import instruction_set, missing
from epigx.kernels.native.ops import bimamba_inner

__all__ = ["SPEEDUP", "bimamba_inner", "causal_conv1d", "description", "missing", "selective_scan"]

SPEEDUP = 20


def description() -> str:
    """Say which instruction set is in use."""
    return instruction_set()
