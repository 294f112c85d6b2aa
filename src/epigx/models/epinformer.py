"""EPInformer v2: convolutions encode the promoter and candidate enhancers, and attention combines them.

B genes, E elements of a gene (the promoter first), L bases, C channels, D channels of an element's embedding.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from epigx.batch import Batch, Elements, Need, Prediction
from epigx.errors import ConfigError
from epigx.layers.batch_norm import BatchNorm
from epigx.models.base import Cost, Model
from epigx.models.head import Head

__all__ = ["EPInformer", "EPInformerModel"]

_STEM_KERNEL = 8
_DILATIONS = (2, 4, 6)
_REFINED = 64
_BINS = 2
_HEAD_WIDTH = 128


class EPInformerModel(Model):
    """EPInformer v2; the defaults are the size used in the paper, 447,341 parameters with 9 features."""

    kind: Literal["epinformer"] = "epinformer"
    length: int = Field(default=2_000, ge=16, multiple_of=2)
    """Length of each element in bp; must equal that of the dataset."""
    stem: PositiveInt = 256
    """Channels of the first convolution."""
    stages: tuple[PositiveInt, ...] = Field(default=(128, 64, 64, 128), min_length=1)
    """Channels of the following convolutions; each stage halves the length."""
    d_model: int = Field(default=64, ge=4, multiple_of=4)
    """Channels of an element's embedding."""
    n_layers: PositiveInt = 3
    """Attention layers."""
    n_heads: PositiveInt = 4
    """Attention heads."""

    @property
    def needs(self) -> frozenset[Need]:
        """Elements; the window and its signals are not read."""
        return frozenset({"elements"})

    def cost(self, window: int, weights: int, n_elements: int = 61) -> Cost:
        """Estimate the cost of one prediction from the elements; most memory is that of the first two convolutions."""
        positions = n_elements * self.length
        return Cost(weights, positions, 30.0 * (self.stem + self.stages[0]) * positions)

    def build(self, n_signals: int, n_features: int, window: int) -> EPInformer:
        """Return the network with fresh weights; the window does not matter, because only elements are read.

        Raises
        ------
        ConfigError
            The elements are too short for the stages, or ``d_model`` is not a multiple of ``n_heads``.
        """
        if self.bins < 1:
            least = (1 << len(self.stages)) * (2 * sum(_DILATIONS) + 1)
            raise ConfigError(
                f"Elements of {self.length:,} bp (model.length) are too short for {len(self.stages)} stages, which "
                f"need {least:,} bp. Use fewer stages (model.stages), or build a dataset with longer elements."
            )
        if self.d_model % self.n_heads:
            raise ConfigError(f"model.d_model ({self.d_model}) has to be a multiple of model.n_heads ({self.n_heads}).")
        return EPInformer(self, n_features)

    @property
    def bins(self) -> int:
        """Positions per element after the stages and the dilated convolutions."""
        return (self.length >> len(self.stages)) - 2 * sum(_DILATIONS)


class EPInformer(nn.Module):
    """Encodes elements, combines them by attention, and predicts expression from the promoter's embedding."""

    def __init__(self, config: EPInformerModel, n_features: int) -> None:
        super().__init__()
        self.length = config.length
        self.encoder = ElementEncoder(config)
        self.join = nn.Sequential(
            nn.Linear(config.d_model + 3, config.d_model),
            nn.ReLU(),
            nn.Linear(config.d_model, config.d_model),
            nn.ReLU(),
        )
        self.layers = nn.ModuleList(AttentionLayer(config.d_model, config.n_heads) for _ in range(config.n_layers))
        self.head = Head(config.d_model, n_features, _HEAD_WIDTH)

    def forward(self, batch: Batch) -> Prediction:
        """Predict the expression of each gene."""
        return Prediction(expression=self.head(self.promoter(self._elements(batch)), batch.features))

    def promoter(self, elements: Elements) -> Float[Tensor, "batch channel"]:
        """Return the embedding of each gene's promoter after attention over the enhancers."""
        n_genes, n_elements = elements.sequence.shape[:2]
        encoded = self.encoder(elements.sequence.flatten(0, 1)).unflatten(0, (n_genes, n_elements))
        embedded = self.join(torch.cat([encoded, elements.features], dim=-1))
        unseen = hidden_pairs(elements.features)
        for layer in self.layers:
            embedded = layer(embedded, unseen)
        promoter: Tensor = embedded[:, 0]
        return promoter

    def _elements(self, batch: Batch) -> Elements:
        if batch.elements is None:
            raise ConfigError("EPInformer reads elements, but the batch has none. Load it with elements (Model.needs).")
        if (length := batch.elements.sequence.shape[2]) != self.length:
            raise ConfigError(
                f"The dataset's elements are {length:,} bp long, but the model was built for {self.length:,}. "
                f"Set model.length={length}."
            )
        return batch.elements


class ElementEncoder(nn.Module):
    """Encodes the bases of an element with convolutions and pooling, then dilated convolutions."""

    def __init__(self, config: EPInformerModel) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, config.stem, _STEM_KERNEL)
        widths = (config.stem, *config.stages)
        self.stages = nn.ModuleList(map(_stage, widths, widths[1:]))
        self.mixers = nn.ModuleList(nn.Conv1d(width, width, 1) for width in config.stages)
        widths = (widths[-1], *[_REFINED] * len(_DILATIONS))
        self.refine = nn.Sequential(
            *(
                _normalised(nn.Conv1d(into, out, 3, dilation=dilation), out)
                for into, out, dilation in zip(widths[:-1], widths[1:], _DILATIONS, strict=True)
            ),
            _normalised(nn.Conv1d(_REFINED, config.d_model // _BINS, 1), config.d_model // _BINS),
        )
        self.summarise = nn.Sequential(nn.Linear(config.bins, _BINS), nn.ELU())

    def forward(self, sequence: Float[Tensor, "element length 4"]) -> Float[Tensor, "element channel"]:
        """Encode each element independently."""
        # Keeps the length; the kernel is even, so the right padding is larger by one.
        padded = functional.pad(sequence.transpose(1, 2), ((_STEM_KERNEL - 1) // 2, _STEM_KERNEL // 2))
        x = functional.elu(self.stem(padded))
        for stage, mixer in zip(self.stages, self.mixers, strict=True):
            x = stage(x)
            x = x + functional.elu(mixer(x))
        summary: Tensor = self.summarise(self.refine(x))
        return summary.flatten(1)


class AttentionLayer(nn.Module):
    """x + attention(LayerNorm(x)), then x + MLP(LayerNorm(x))."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
        self.before_attention = nn.LayerNorm(d_model)
        self.before_perceptron = nn.LayerNorm(d_model)
        self.perceptron = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.ReLU(), nn.Linear(4 * d_model, d_model))

    def forward(
        self, x: Float[Tensor, "batch element channel"], unseen: Bool[Tensor, "batch element element"]
    ) -> Float[Tensor, "batch element channel"]:
        """Apply attention between the allowed pairs of elements, then the perceptron."""
        normed = self.before_attention(x)
        mask = unseen.repeat_interleave(self.n_heads, dim=0)
        x = x + self.attention(normed, normed, normed, attn_mask=mask, need_weights=False)[0]
        out: Tensor = x + self.perceptron(self.before_perceptron(x))
        return out


def hidden_pairs(features: Float[Tensor, "batch element 3"]) -> Bool[Tensor, "batch element element"]:
    """Return which elements (last axis) each element may not attend to.

    The promoter attends to all elements, an enhancer to itself and the promoter. Nothing attends to empty slots, whose
    features are zeros. The official class treats slots without known bases as empty, including enhancers of only N.
    """
    n_elements = features.shape[1]
    apart = ~torch.eye(n_elements, dtype=torch.bool, device=features.device)
    apart[0] = apart[:, 0] = False
    empty = (features == 0).all(dim=-1)
    empty[:, 0] = False  # the promoter, whose features are zeros
    return apart | empty[:, None]


def _stage(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(_normalised(nn.Conv1d(channels, out, 3, padding=1), out), nn.MaxPool1d(2))


def _normalised(convolution: nn.Conv1d, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, BatchNorm(channels), nn.ELU())
