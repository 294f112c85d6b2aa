"""The hot loops: selective scan, causal convolution, RMSNorm, linear layers, and the middle of a Mamba block.

One interface, four implementations, chosen when called: epigx's own C++ kernel (CPU), mamba-ssm's (CUDA), plain PyTorch
(any device), and the recurrence written out (tests). :func:`kernel_in_use` says which one runs and why.
"""

from epigx.kernels.choice import KernelChoice, kernel, kernel_in_use
from epigx.kernels.denormals import flushed_denormals
from epigx.kernels.direction import Direction
from epigx.kernels.interface import add_rms_norm, bimamba_inner, causal_conv1d, linear, selective_scan
from epigx.kernels.memory import give_back_freed_memory, keep_freed_memory
from epigx.kernels.native import lent

__all__ = [
    "Direction",
    "KernelChoice",
    "add_rms_norm",
    "bimamba_inner",
    "causal_conv1d",
    "flushed_denormals",
    "give_back_freed_memory",
    "keep_freed_memory",
    "kernel",
    "kernel_in_use",
    "lent",
    "linear",
    "selective_scan",
]
