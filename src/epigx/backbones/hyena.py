"""HyenaDNA: gated convolutions as long as the window (Nguyen et al., 2023)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from epigx.backbones.base import Backbone
from epigx.errors import ConfigError
from epigx.layers.checkpointing import Checkpointed
from epigx.layers.embedding import TokenEmbedding
from epigx.layers.hyena import Hyena
from epigx.layers.stack import BYTES_PER_CHANNEL

__all__ = ["HyenaBlock", "HyenaDNA", "HyenaStack"]

SPECIAL_TOKENS = 2
"""The official filters have two positions more than the longest window, for the start and end tokens."""


class HyenaDNA(Backbone):
    """HyenaDNA as trained for Seq2Exp: 903,681 parameters with four layers and the predictor's head.

    Windows can have up to ``longest`` positions. A trained model depends on this length, because its filters encode a
    position as a fraction of it.
    """

    kind: Literal["hyenadna"] = "hyenadna"
    n_layers: int = Field(default=4, ge=1)
    """Number of blocks."""
    longest: int = Field(default=200_000, ge=1)
    """Longest window in positions, and length of the filters; set it to the length of the training windows."""
    expand: int = Field(default=4, ge=1)
    """Hidden units of the perceptron per channel."""
    filter_width: int = Field(default=64, ge=1)
    """Hidden units of the implicit filters."""
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Dropout rate of the embedding."""

    def embedding(self) -> nn.Module:
        """Return a token embedding, which HyenaDNA uses instead of a linear layer."""
        return TokenEmbedding(self.d_model)

    def check_length(self, length: int) -> None:
        """Raise ConfigError if the window is longer than the filters."""
        if length > self.longest:
            raise ConfigError(
                f"HyenaDNA's filters span {self.longest:,} positions, but the window has {length:,}. "
                f"Set model.backbone.longest to {length} and train a new model, or use a shorter window."
            )

    @property
    def bytes_per_position(self) -> float:
        """Rough memory that training keeps per position, in bytes."""
        return 2 * BYTES_PER_CHANNEL * self.n_layers * self.d_model

    def build(self) -> HyenaStack:
        """Return the stack with fresh weights."""
        return HyenaStack(self)


class HyenaBlock(nn.Module):
    """x + Hyena(LayerNorm(x)), then x + MLP(LayerNorm(x))."""

    def __init__(self, config: HyenaDNA) -> None:
        super().__init__()
        d_model, inner = config.d_model, config.expand * config.d_model
        self.mixer_norm = nn.LayerNorm(d_model)
        self.mixer = Hyena(d_model, config.longest + SPECIAL_TOKENS, config.filter_width)
        self.perceptron_norm = nn.LayerNorm(d_model)
        self.perceptron = nn.Sequential(
            nn.Linear(d_model, inner), nn.GELU(approximate="tanh"), nn.Linear(inner, d_model)
        )

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Apply the Hyena operator over the window, then the perceptron at each position."""
        x = x + self.mixer(self.mixer_norm(x))
        added: Tensor = self.perceptron(self.perceptron_norm(x))
        return x + added


class HyenaStack(Checkpointed):
    """Dropout, the blocks and a final LayerNorm; the residual stream stays in float32."""

    def __init__(self, config: HyenaDNA) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(HyenaBlock(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw linear weights from N(0, 0.02²), divided by sqrt(2 n_layers) in the last layer of a residual branch."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                ends_branch = name.endswith(("out_proj", "perceptron.2"))
                shrink = math.sqrt(2 * self.config.n_layers) if ends_branch else 1.0
                nn.init.normal_(module.weight, std=0.02 / shrink)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Run the blocks over the window, which must not be longer than the filters."""
        self.config.check_length(x.shape[1])
        x = self.dropout(x.to(torch.promote_types(x.dtype, torch.float32)))
        for block in self.blocks:
            x = self.run_layer(block, x)
        hidden: Tensor = self.norm(x)
        return hidden
