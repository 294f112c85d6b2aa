"""The Hyena operator: a gated convolution as long as the window (Poli et al., 2023).

B batch, L length, D channels.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from scipy.fft import next_fast_len
from torch import Tensor, nn

from epigx.kernels import causal_conv1d

__all__ = ["FilterLinear", "Hyena", "ImplicitFilter", "Sine", "long_convolution"]


class FilterLinear(nn.Linear):
    """A linear layer of an implicit filter, whose weights are not decayed."""

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"weight", "bias"})
    """Parameters that the optimizer does not decay."""


class Sine(nn.Module):
    """sin(f x), with a trained frequency f for each channel, all of them 10 at first."""

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"frequency"})
    """Parameters that the optimizer does not decay."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.full((width,), 10.0))

    def forward(self, x: Float[Tensor, "*position channel"]) -> Float[Tensor, "*position channel"]:
        """Apply the sine."""
        return torch.sin(self.frequency * x)


class ImplicitFilter(nn.Module):
    """A filter of any length up to ``longest``, computed as a function of the position.

    A perceptron with sine activations maps (t, cos, sin), where t runs from 0 to 1 over ``longest`` positions, with two
    frequencies, to one value per channel. A decay exp(-δ t) with one rate δ per channel limits the range. All layers
    share one :class:`Sine`, as in the official model.

    Parameters
    ----------
    longest : int
        Positions over which t runs from 0 to 1.
    width : int
        Hidden units.
    """

    BANDS = 2
    SLOWEST, FASTEST, FLOOR = 1.5, 0.3, 1e-2
    """The slowest channel decays to 0.01 at t = 1.5, the fastest at t = 0.3."""

    def __init__(self, d_model: int, longest: int, width: int = 64) -> None:
        super().__init__()
        self.longest = longest
        self.layers = nn.ModuleList(
            [
                FilterLinear(1 + 2 * self.BANDS, width),
                FilterLinear(width, width),
                FilterLinear(width, width),
                FilterLinear(width, d_model, bias=False),
            ]
        )
        self.sine = Sine(width)

    def forward(self, length: int) -> Float[Tensor, "length channel"]:
        """Return the first ``length`` values of each channel's filter."""
        weight: Tensor = self.layers[0].weight  # type: ignore[assignment]  # a list of modules is not typed
        position = torch.arange(length, device=weight.device, dtype=weight.dtype)[:, None]
        t = position / (self.longest - 1)
        angle = 2 * math.pi / self.longest * position * torch.linspace(1e-4, self.BANDS - 1, self.BANDS).to(weight)
        hidden = torch.cat([t, angle.cos(), -angle.sin()], dim=-1)
        for layer in self.layers[:-1]:
            hidden = self.sine(layer(hidden))
        slow, fast = (-math.log(self.FLOOR) / reach for reach in (self.SLOWEST, self.FASTEST))
        value: Tensor = self.layers[-1](hidden)
        rates = torch.linspace(slow, fast, value.shape[-1]).to(weight)
        return value * torch.exp(-t * rates)


def long_convolution(
    x: Float[Tensor, "batch length channel"], kernel: Float[Tensor, "length channel"]
) -> Float[Tensor, "batch length channel"]:
    """Convolve each channel with a causal filter as long as the window: y_t = Σ_s kernel_s x_{t-s}.

    Uses Fourier transforms with zero-padding against wrap-around; O(L log L).
    """
    length = x.shape[1]
    size = next_fast_len(2 * length - 1, real=True)
    # Transforms are fastest along the last axis.
    spectrum = torch.fft.rfft(x.transpose(1, 2), n=size) * torch.fft.rfft(kernel.T, n=size)
    convolved: Tensor = torch.fft.irfft(spectrum, n=size)
    return convolved[..., :length].transpose(1, 2)


class Hyena(nn.Module):
    """Hyena of order 2: x₀ ⊙ (h * (x₁ ⊙ v) + b ⊙ x₁ ⊙ v), with x₀, x₁, v from a projection and a short convolution.

    The long convolution always runs in float32, because half precision is not accurate enough for a transform over a
    whole window.

    Parameters
    ----------
    longest : int
        Longest window, in positions.
    width : int
        Hidden units of the implicit filter.
    d_conv : int
        Width of the short convolution, in positions.
    """

    def __init__(self, d_model: int, longest: int, width: int = 64, d_conv: int = 3) -> None:
        super().__init__()
        self.in_proj = nn.Linear(d_model, 3 * d_model)
        bound = 1 / math.sqrt(d_conv)
        self.conv_weight = nn.Parameter(torch.empty(3 * d_model, d_conv).uniform_(-bound, bound))
        self.conv_bias = nn.Parameter(torch.empty(3 * d_model).uniform_(-bound, bound))
        self.filter = ImplicitFilter(d_model, longest, width)
        self.skip_bias = nn.Parameter(torch.randn(d_model))
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Mix the positions of each window; a position depends only on those before it."""
        mixed = causal_conv1d(self.in_proj(x), self.conv_weight, self.conv_bias)
        gate, key, value = mixed.chunk(3, dim=-1)
        with torch.autocast(x.device.type, enabled=False):
            gated = (key * value).to(self.skip_bias.dtype)
            remembered = long_convolution(gated, self.filter(x.shape[1])) + self.skip_bias * gated
        out: Tensor = self.out_proj(gate * remembered.to(gate.dtype))
        return out
