"""Enformer (Avsec et al., 2021), trained from scratch on DNA only as in Seq2Exp, with any width and window.

It is a model and not a backbone, because it shortens the window: 128 bp become one bin.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from epigx.batch import Batch, Prediction
from epigx.errors import ConfigError
from epigx.layers.attention import AttentionPool, RelativeAttention, relative_features
from epigx.layers.batch_norm import BatchNorm
from epigx.models.base import Cost, Model
from epigx.models.head import Head, centre, pool_centre

__all__ = ["Enformer", "EnformerModel", "EnformerTrunk"]


class EnformerModel(Model):
    """Enformer's trunk, the mean over its central bins, and a head; the defaults are the published size.

    Windows need at least two bins; of windows longer than ``longest``, the central part is read. The official model
    also computes 5,313 human and 1,643 mouse tracks, which are not needed here. Without their 21,375,788 parameters,
    230,256,641 of 251,632,429 parameters remain.
    """

    kind: Literal["enformer"] = "enformer"
    d_model: int = Field(default=1_536, ge=12)
    """Channels of the transformer; those of the convolutions increase from half of it to all of it."""
    n_layers: int = Field(default=11, ge=1)
    """Transformer blocks."""
    n_heads: int = Field(default=8, ge=1)
    """Attention heads; d_model / n_heads must be a multiple of 6, the number of families of distance features."""
    d_key: int = Field(default=64, ge=1)
    """Channels of queries and keys per head."""
    n_poolings: int = Field(default=7, ge=3)
    """Number of times that the window is halved; a bin has 2^n_poolings base pairs, 128 by default."""
    multiple: int = Field(default=128, ge=1)
    """The channels of each convolution are rounded to a multiple of this."""
    dropout: float = Field(default=0.4, ge=0.0, lt=1.0)
    """Dropout rate of hidden states."""
    attention_dropout: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Dropout rate of attention weights."""
    position_dropout: float = Field(default=0.01, ge=0.0, lt=1.0)
    """Dropout rate of distance features."""
    longest: int = Field(default=196_608, ge=1)
    """Longest window in base pairs; of longer windows, the central part is read."""
    central_bins: int = Field(default=896, ge=0)
    """Central bins whose hidden states are averaged; 0 for all. Shorter windows are averaged completely."""
    d_head: int = Field(default=128, ge=1)
    """Hidden units of the head."""

    @model_validator(mode="after")
    def _check_widths(self) -> EnformerModel:
        if self.d_model % self.n_heads or (self.d_model // self.n_heads) % 6:
            raise ValueError(
                f"d_model ({self.d_model}) has to be a multiple of 6 n_heads ({6 * self.n_heads}), "
                "because each head has six kinds of distance features"
            )
        if self.d_model % self.multiple:
            raise ValueError(f"d_model ({self.d_model}) has to be a multiple of {self.multiple} (multiple)")
        return self

    @property
    def bin_size(self) -> int:
        """Base pairs per bin."""
        return int(2**self.n_poolings)

    @property
    def widths(self) -> list[int]:
        """Channels after the stem and after each convolution of the tower, in a geometric series."""
        steps = self.n_poolings - 2
        ratios = (2 ** (step / steps) for step in range(steps + 1))
        half = self.d_model // 2
        return [half, *(round(half * ratio / self.multiple) * self.multiple for ratio in ratios)]

    def cost(self, window: int, weights: int, n_elements: int = 61) -> Cost:
        """Estimate the cost of one prediction; positions are bins, because most weights come after the poolings."""
        return Cost(weights, window // self.bin_size, 50.0 * self.d_model * min(window, self.longest))

    def build(self, n_signals: int, n_features: int, window: int) -> Enformer:
        """Return the network with fresh weights, which do not depend on the window's length.

        Raises
        ------
        ConfigError
            The window is shorter than two bins.
        """
        if window < 2 * self.bin_size:
            raise ConfigError(
                f"Enformer needs windows of at least two bins of {self.bin_size} bp (model.n_poolings), but the run's "
                f"have {window} bp. Use a longer window (data.window) or fewer poolings."
            )
        return Enformer(self, n_features)


class Enformer(nn.Module):
    """Enformer's trunk, the mean over its bins, and the head."""

    def __init__(self, config: EnformerModel, n_features: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = EnformerTrunk(config)
        self.head = Head(2 * config.d_model, n_features, config.d_head)

    def forward(self, batch: Batch) -> Prediction:
        """Predict the expression of each gene from the DNA of its window."""
        bins = self.trunk(centre(batch.sequence, self.config.longest))
        return Prediction(expression=self.head(pool_centre(bins, 0), batch.features))


class EnformerTrunk(nn.Module):
    """Bases to bins: convolutions with pooling, a transformer, and a final convolution."""

    def __init__(self, config: EnformerModel) -> None:
        super().__init__()
        d_model, widths = config.d_model, config.widths
        self.central_bins = config.central_bins
        self.n_distance_features = d_model // config.n_heads
        self.stem = nn.Sequential(
            nn.Conv1d(4, widths[0], 15, padding=7),
            Residual(*convolution(widths[0], widths[0])),
            AttentionPool(widths[0]),
        )
        self.tower = nn.Sequential(
            *(
                nn.Sequential(convolution(n_in, n_out, 5), Residual(*convolution(n_out, n_out)), AttentionPool(n_out))
                for n_in, n_out in pairwise(widths)
            )
        )
        self.transformer = nn.ModuleList(EnformerBlock(config) for _ in range(config.n_layers))
        self.pointwise = nn.Sequential(convolution(d_model, 2 * d_model), nn.Dropout(config.dropout / 8), SigmoidGELU())

    def forward(self, sequence: Float[Tensor, "batch length 4"]) -> Float[Tensor, "batch bin channel"]:
        """Return the hidden state of each central bin; positions after the last whole bin form an extra bin."""
        x = self.tower(self.stem(sequence.transpose(1, 2))).transpose(1, 2)
        features = relative_features(x.shape[1], self.n_distance_features, x.device)
        for block in self.transformer:
            x = block(x, features)
        central = centre(x, self.central_bins)  # before the last normalisation, so that outer bins do not enter it
        hidden: Tensor = self.pointwise(central.transpose(1, 2)).transpose(1, 2)
        return hidden


class EnformerBlock(nn.Module):
    """x + attention(LayerNorm(x)), then x + MLP(LayerNorm(x))."""

    def __init__(self, config: EnformerModel) -> None:
        super().__init__()
        d_model = config.d_model
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = RelativeAttention(
            d_model,
            config.n_heads,
            config.d_key,
            dropout=config.attention_dropout,
            position_dropout=config.position_dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(d_model),
            nn.Linear(d_model, 2 * d_model),
            nn.Dropout(config.dropout),
            nn.ReLU(),
            nn.Linear(2 * d_model, d_model),
            nn.Dropout(config.dropout),
        )

    def forward(
        self, x: Float[Tensor, "batch bin channel"], features: Float[Tensor, "distance feature"]
    ) -> Float[Tensor, "batch bin channel"]:
        """Apply attention over bins, then the perceptron at each bin."""
        x = x + self.dropout(self.attention(self.attention_norm(x), features))
        added: Tensor = self.perceptron(x)
        return x + added


class Residual(nn.Sequential):
    """x + layers(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Add the output of the layers to the input."""
        added: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return x + added


class SigmoidGELU(nn.Module):
    """x · sigmoid(1.702 x), the approximation of GELU in the published Enformer."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation."""
        return x * torch.sigmoid(1.702 * x)


def convolution(n_in: int, n_out: int, width: int = 1) -> nn.Sequential:
    """Return batch normalisation, activation and convolution, in this order."""
    return nn.Sequential(BatchNorm(n_in), SigmoidGELU(), nn.Conv1d(n_in, n_out, width, padding=width // 2))
