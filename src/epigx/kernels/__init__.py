"""The hot loops: selective scan, causal convolution, RMSNorm, linear layers, and the middle of a Mamba block.

One interface, four implementations, chosen when called: epigx's own C++ kernel (CPU), mamba-ssm's (CUDA), plain PyTorch
(any device), and the recurrence written out (tests). :func:`kernel_in_use` says which one runs and why.
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
