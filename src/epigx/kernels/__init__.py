"""Compute kernels: selective scan, causal convolution, RMSNorm, linear layers, and the inner part of a Mamba block.

There are four implementations with one interface: epigx's C++ kernel (CPU), mamba-ssm's kernel (CUDA), plain PyTorch
(any device), and a step-by-step reference (tests). Each call chooses one; :func:`kernel_in_use` returns which and why.
"""

from epigx.kernels.cpu import out_ops
from epigx.kernels.dispatch import KernelChoice, kernel, kernel_in_use
from epigx.kernels.ops import add_rms_norm, bimamba_inner, causal_conv1d, linear, selective_scan
from epigx.kernels.params import Direction

__all__ = [
    "Direction",
    "KernelChoice",
    "add_rms_norm",
    "bimamba_inner",
    "causal_conv1d",
    "kernel",
    "kernel_in_use",
    "linear",
    "out_ops",
    "selective_scan",
]
