"""The C++ kernel for CPUs."""

from __future__ import annotations

from epigx.kernels.chunked import bimamba_inner, causal_conv1d, selective_scan

__all__ = ["SPEEDUP", "bimamba_inner", "causal_conv1d", "description", "missing", "selective_scan"]

SPEEDUP = 20


def missing() -> str | None:
    """Say why the kernel cannot be used, or None if it can."""
    return "it has not been built"


def description() -> str:
    """Say which instruction set is in use."""
    return ""
