"""The five operations of the package, sent to the implementation in use."""

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
# The compiled kernels know these alone; tensors of another precision (float64 in tests) take plain PyTorch.
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
    """Run the selective state-space recurrence of Mamba along a window.

    ``h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t`` and ``y_t = C_t · h_t + D u_t`` from ``h = 0``, in float32
    whatever the precision of `u` (in float64 if `u` is).

    Parameters
    ----------
    u : Float[Tensor, "batch length channel"]
        The input.
    delta : Float[Tensor, "batch length channel"]
        The step, positive (softplus already applied).
    A : Float[Tensor, "channel state"]
        The decay rates, negative.
    B, C : Float[Tensor, "batch length state"]
        How a base enters the state, and how it is read.
    D : Float[Tensor, "channel"]
        The skip connection.
    reverse : bool
        Start at the window's end.

    Returns
    -------
    Float[Tensor, "batch length channel"]
        The output, in the precision of `u`.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` asks for a kernel that cannot run here.
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
    """Convolve each channel with its own taps, looking only back (with `reverse`, only ahead).

    ``y_t = bias + Σ_k weight[k] x_{t - (K-1) + k}``, zeros outside the window, no activation.

    Parameters
    ----------
    x : Float[Tensor, "batch length channel"]
        The input.
    weight : Float[Tensor, "channel tap"]
        The last tap meets the current base.
    bias : Float[Tensor, "channel"]
        Added to each output.
    reverse : bool
        The mirror image: ``y_t = bias + Σ_k weight[k] x_{t + (K-1) - k}``.

    Returns
    -------
    Float[Tensor, "batch length channel"]
        The output, in the precision of `x`.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` asks for a kernel that cannot run here.
    """
    y: Tensor = _implementation(x).causal_conv1d(x, weight, bias, reverse=reverse)
    return y


def bimamba_inner(
    xz: Float[Tensor, "batch length twice_channel"], forward: Direction, reverse: Direction | None
) -> Float[Tensor, "batch length channel"]:
    """Run a bidirectional Mamba block between its input and its output projection.

    With ``x, z`` the halves of `xz`, the output is ``(forward(x) + reverse(x)) · silu(z)``, where each direction is
    convolution, SiLU, the projections to the step, B and C, and the scan; the reverse one runs from the window's end.

    Parameters
    ----------
    xz : Float[Tensor, "batch length twice_channel"]
        What the input projection gives, float32 or bfloat16; parameters are used in float32.
    forward : Direction
        The parameters of the direction that reads the window from its start.
    reverse : Direction or None
        Those of the direction that reads it from its end; None for a one-directional block.

    Returns
    -------
    Float[Tensor, "batch length channel"]
        What the output projection takes, in the precision of `xz`.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` asks for a kernel that cannot run here.
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

    The sum is made and kept in float32 whatever the precision of `x` (in float64 if `x` is).

    Parameters
    ----------
    x : Float[Tensor, "*position channel"]
        What a layer adds.
    residual : Float[Tensor, "*position channel"] or None
        The stream so far; None where it starts with `x`.
    weight : Float[Tensor, "channel"]
        Scale of each channel.
    eps : float
        Added to the mean square.

    Returns
    -------
    residual : Float[Tensor, "*position channel"]
        The stream with `x`; `x` itself where it starts.
    normed : Float[Tensor, "*position channel"]
        What the next layer reads, in the precision of `x`.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` asks for a kernel that cannot run here.
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
    """Multiply each position by the weights: ``x Wᵀ + bias``.

    Under `native` and in float32 a position's result is the same bits whatever other positions there are, and whatever
    number of threads.

    Parameters
    ----------
    x : Float[Tensor, "*position channel"]
        The input.
    weight : Float[Tensor, "out channel"]
        W.
    bias : Float[Tensor, "out"], optional
        Added to each position.

    Returns
    -------
    Float[Tensor, "*position out"]
        The output, in the precision of `x`.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` asks for a kernel that cannot run here.
    """
    y: Tensor = _implementation(x).linear(x, weight, bias)
    return y


def _implementation(x: Tensor) -> ModuleType:
    name = kernel_in_use(x.device).name
    return _IMPLEMENTATIONS[name] if x.dtype in _PRECISIONS.get(name, (x.dtype,)) else chunked
