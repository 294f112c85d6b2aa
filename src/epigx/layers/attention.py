"""Attention with relative positions, and attention pooling, as in Enformer (Avsec et al., 2021).

B batch, N positions, D channels, H heads, K channels of a key, F features of a distance.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["AttentionPool", "RelativeAttention", "relative_features", "shift_to_pairs"]


class RelativeAttention(nn.Module):
    """Multi-head attention with logits (q + u) · k + (q + v) · r, where r is a projection of distance features.

    The biases u and v are trained. The output projection starts at zero, so a new block returns its input.

    Parameters
    ----------
    n_heads : int
        Heads H; each has D / H value channels and D / H distance features.
    d_key : int
        Channels K of the queries and keys per head.
    dropout, position_dropout : float
        Dropout rates of the attention weights and of the distance features.
    """

    def __init__(
        self, d_model: int, n_heads: int, d_key: int = 64, *, dropout: float = 0.0, position_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.scale = d_key**-0.5
        self.query = nn.Linear(d_model, n_heads * d_key, bias=False)
        self.key = nn.Linear(d_model, n_heads * d_key, bias=False)
        self.value = nn.Linear(d_model, d_model, bias=False)
        self.distance = nn.Linear(d_model // n_heads, n_heads * d_key, bias=False)
        self.content_bias = nn.Parameter(torch.randn(n_heads, 1, d_key))
        self.position_bias = nn.Parameter(torch.randn(n_heads, 1, d_key))
        self.dropout = nn.Dropout(dropout)
        self.position_dropout = nn.Dropout(position_dropout)
        self.out = nn.Linear(d_model, d_model)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, x: Float[Tensor, "batch position channel"], features: Float[Tensor, "distance feature"]
    ) -> Float[Tensor, "batch position channel"]:
        """Mix the positions of each window; the features are those that :func:`relative_features` returns for them."""
        query, key, value = (self._heads(project(x)) for project in (self.query, self.key, self.value))
        distance = self._heads(self.distance(self.position_dropout(features)))
        query = query * self.scale
        logits = (query + self.content_bias) @ key.mT
        logits = logits + shift_to_pairs((query + self.position_bias) @ distance.mT)
        mixed = self.dropout(logits.softmax(dim=-1)) @ value
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _heads(self, x: Tensor) -> Tensor:
        """Split the channels (…, N, H · C) into heads (…, H, N, C)."""
        return torch.unflatten(x, -1, (self.n_heads, -1)).transpose(-3, -2)


class AttentionPool(nn.Module):
    """Weighted mean over pairs of neighbouring positions, with weights per channel from a softmax (Enformer).

    The projection is initialised to twice the identity, between mean and maximum pooling. With an odd number of
    positions, the last one is kept as it is.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.logits = nn.Linear(d_model, d_model, bias=False)
        with torch.no_grad():
            self.logits.weight.copy_(2 * torch.eye(d_model))

    def forward(self, x: Float[Tensor, "batch channel length"]) -> Float[Tensor, "batch channel half"]:
        """Halve the number of positions, rounded up."""
        logits: Tensor = self.logits(x.transpose(1, 2)).transpose(1, 2)
        if x.shape[-1] % 2:
            x = functional.pad(x, (0, 1))
            logits = functional.pad(logits, (0, 1), value=float("-inf"))
        pairs, weights = torch.unflatten(x, -1, (-1, 2)), torch.unflatten(logits, -1, (-1, 2)).softmax(dim=-1)
        return (pairs * weights).sum(dim=-1)


def shift_to_pairs(
    by_distance: Float[Tensor, "batch head position distance"],
) -> Float[Tensor, "batch head position position"]:
    """Turn values by query and distance (-(N-1) to N-1) into values by query i and key j, at distance j - i.

    Each row is shifted by one against the row before it, so in memory the values of the same key are 2N - 2 apart.
    """
    n = by_distance.shape[-2]
    stride = max(2 * n - 2, n)
    rows = by_distance.flatten(-2)[..., n - 1 : n - 1 + n * stride]
    return torch.unflatten(rows, -1, (n, stride))[..., :n]


def relative_features(
    n_positions: int, n_features: int, device: torch.device | str = "cpu"
) -> Float[Tensor, "distance feature"]:
    """Return features of each distance between two of N positions, from -(N-1) to N-1.

    There are three families of curves: exponential decays with half-lives from 8 positions to N; windows with
    half-widths 1, 3, 7, …; and gamma densities with means up to N, scaled so that the largest at each distance is 1.
    Half of the features are curves of the absolute distance, the other half are the same curves times its sign.

    Parameters
    ----------
    n_positions : int
        Positions N.
    n_features : int
        Features F; a multiple of 6.

    Returns
    -------
    Float[Tensor, "distance feature"]
        float32, (2N - 1, F).
    """
    n_curves = n_features // 6
    signed = torch.arange(1 - n_positions, n_positions, device=device, dtype=torch.float32)[:, None]
    distance = signed.abs()
    half_life = 2 ** torch.linspace(3, math.log2(n_positions), n_curves, device=device)
    decays = torch.exp(-math.log(2) / half_life * distance)
    reach = 2 ** torch.arange(1, n_curves + 1, device=device, dtype=torch.float32) - 1
    windows = (distance < reach).float()
    curves = torch.cat([decays, windows, _gamma_curves(distance, n_positions, n_curves)], dim=-1)
    return torch.cat([curves, signed.sign() * curves], dim=-1)


def _gamma_curves(distance: Tensor, n_positions: int, n_curves: int) -> Tensor:
    deviation = n_positions / (2 * n_curves)
    mean = torch.linspace(n_positions / n_curves, n_positions, n_curves, device=distance.device)
    shape, rate = (mean / deviation) ** 2, mean / deviation**2
    log_density = torch.xlogy(shape - 1, distance) - rate * distance - torch.lgamma(shape) + shape * rate.log()
    density = log_density.exp() + 1e-8
    return density / density.amax(dim=-1, keepdim=True)
