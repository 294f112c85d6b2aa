"""The five operations of this package; each calls the kernel in use.

All raise ConfigError if `EPIGX_KERNEL` names a kernel that cannot run here.
"""

from __future__ import annotations

from types import ModuleType

import torch
from jaxtyping import Float
from torch import Tensor

from epigx.kernels import cpu, cuda
from epigx.kernels.dispatch import kernel_in_use
from epigx.kernels.params import Direction
from epigx.kernels.torch import chunked, reference

__all__ = ["add_rms_norm", "bimamba_inner", "causal_conv1d", "linear", "selective_scan"]

_IMPLEMENTATIONS: dict[str, ModuleType] = {
    "native": cpu,
    "cuda": cuda,
    "torch": chunked,
    "reference": reference,
}
# Precisions that the compiled kernels support; others (float64 in tests) use plain PyTorch.
_PRECISIONS: dict[str, tuple[torch.dtype, ...]] = {
    "native": (torch.float32, torch.bfloat16),
    "cuda": (torch.float32, torch.bfloat16, torch.float16),
}


def selective_scan(
    u: Float[Tensor, "batch length channel"],
    delta: Float[Tensor, "batch length channel"],
    A: Float[Tensor, "channel state"],
    B: Float[Tensor, "batch length state"],
    C: Float[Tensor, "batch length state"],
    D: Float[Tensor, " channel"],
    *,
    reverse: bool = False,
) -> Float[Tensor, "batch length channel"]:
    """Run the selective scan of Mamba along a window, with `reverse` from its end.

    ``h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t`` and ``y_t = C_t · h_t + D u_t`` from ``h = 0``. It is
    computed in float32 for any precision of `u` (in float64 if `u` is float64); the output has the precision of `u`.

    Parameters
    ----------
    delta : Float[Tensor, "batch length channel"]
        Step sizes, positive (after softplus).
    A : Float[Tensor, "channel state"]
        Decay rates, negative.
    B, C : Float[Tensor, "batch length state"]
        Input and output projections of the state at each position.
    D : Float[Tensor, "channel"]
        Skip connection.
    """
    y: Tensor = _implementation(u).selective_scan(u, delta, A, B, C, D, reverse=reverse)
    return y


def causal_conv1d(
    x: Float[Tensor, "batch length channel"],
    weight: Float[Tensor, "channel tap"],
    bias: Float[Tensor, " channel"],
    *,
    reverse: bool = False,
) -> Float[Tensor, "batch length channel"]:
    """Convolve each channel with its own filter, over previous positions only (with `reverse`, over later ones only).

    ``y_t = bias + Σ_k weight[k] x_{t - (K-1) + k}``, zeros outside the window, no activation. The last tap is for the
    current position. With `reverse`, the mirror image: ``x_{t + (K-1) - k}``. The output has the precision of `x`.
    """
    y: Tensor = _implementation(x).causal_conv1d(x, weight, bias, reverse=reverse)
    return y


def bimamba_inner(
    xz: Float[Tensor, "batch length twice_channel"], forward: Direction, reverse: Direction | None
) -> Float[Tensor, "batch length channel"]:
    """Run the part of a Mamba block between its input and output projections.

    With ``x, z`` the halves of `xz`, the output is ``(forward(x) + reverse(x)) · silu(z)``, where each direction is
    convolution, SiLU, the projections to step, B and C, and the scan. The reverse direction runs from the window's end.

    Parameters
    ----------
    xz : Float[Tensor, "batch length twice_channel"]
        Output of the input projection, float32 or bfloat16, as the result; parameters are used in float32.
    reverse : Direction or None
        Parameters of the direction that starts at the window's end; None for a unidirectional block.
    """
    y: Tensor = _implementation(xz).bimamba_inner(xz, forward, reverse)
    return y


def add_rms_norm(
    x: Float[Tensor, "*position channel"],
    residual: Float[Tensor, "*position channel"] | None,
    weight: Float[Tensor, " channel"],
    eps: float,
) -> tuple[Float[Tensor, "*position channel"], Float[Tensor, "*position channel"]]:
    """Add to the residual stream and normalise the sum: ``s = residual + x``, ``s / sqrt(mean(s²) + eps) · weight``.

    The sum is computed and kept in float32 for any precision of `x` (in float64 if `x` is float64).

    Returns
    -------
    residual : Float[Tensor, "*position channel"]
        Residual stream with `x` added; `x` itself if there was no stream.
    normed : Float[Tensor, "*position channel"]
        Input of the next layer, in the precision of `x`.
    """
    total: Tensor
    normed: Tensor
    total, normed = _implementation(x).add_rms_norm(x, residual, weight, eps)
    return total, normed


def linear(
    x: Float[Tensor, "*position channel"],
    weight: Float[Tensor, "out channel"],
    bias: Float[Tensor, " out"] | None = None,
) -> Float[Tensor, "*position out"]:
    """Apply a linear layer to each position: ``x Wᵀ + bias``, in the precision of `x`.

    With the native kernel in float32, the result for a position has the same bits for any number of other positions and
    of threads.
    """
    y: Tensor = _implementation(x).linear(x, weight, bias)
    return y


def _implementation(x: Tensor) -> ModuleType:
    name = kernel_in_use(x.device).name
    return _IMPLEMENTATIONS[name] if x.dtype in _PRECISIONS.get(name, (x.dtype,)) else chunked
