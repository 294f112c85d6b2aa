"""The C++ kernel for CPUs: one fused operator for both directions of a block, and its parts by themselves."""

from __future__ import annotations

from epigx.kernels.cpu.block import bimamba_inner
from epigx.kernels.cpu.conv import causal_conv1d
from epigx.kernels.cpu.library import description, missing
from epigx.kernels.cpu.matmul import linear
from epigx.kernels.cpu.norm import add_rms_norm
from epigx.kernels.cpu.scan import selective_scan

__all__ = [
    "SPEEDUP",
    "add_rms_norm",
    "bimamba_inner",
    "causal_conv1d",
    "description",
    "linear",
    "missing",
    "selective_scan",
]

SPEEDUP = 10
"""How many times faster than plain PyTorch: a block, forward and backward, 8 × 2,000 bp, one thread (`make bench`)."""
