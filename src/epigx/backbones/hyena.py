"""HyenaDNA: convolutions as long as the window, between gates (Nguyen et al., 2023)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from epigx.backbones.base import Backbone
from epigx.errors import ConfigError
from epigx.layers.checkpointing import Layered
from epigx.layers.embedding import TokenEmbedding
from epigx.layers.hyena import Hyena

__all__ = ["HyenaBlock", "HyenaDNA", "HyenaStack"]

SPECIAL_TOKENS = 2
"""The official filters are longer than the longest window by the two tokens at the ends of a text."""


class HyenaDNA(Backbone):
    """HyenaDNA as Seq2Exp trained it; with four layers and the predictor's head, 903,681 parameters.

    It takes windows of up to ``longest`` positions. That length is a part of the model: its filters know positions as
    parts of it.
    """

    kind: Literal["hyenadna"] = "hyenadna"
    n_layers: int = Field(default=4, ge=1)
    """Blocks."""
    longest: int = Field(default=200_000, ge=1)
    """Longest window in positions; choose that of the training, as filters reach over it."""
    expand: int = Field(default=4, ge=1)
    """Units of the perceptron per channel."""
    filter_width: int = Field(default=64, ge=1)
    """Units of each hidden layer of the implicit filters."""
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Share of the embedding that is zeroed in training."""

    def embedding(self) -> nn.Module:
        """Return the table of tokens that HyenaDNA has in place of a linear layer."""
        return TokenEmbedding(self.d_model)

    def check_length(self, length: int) -> None:
        """Refuse a window that is longer than the filters.

        Raises
        ------
        ConfigError
            It is.
        """
        if length > self.longest:
            raise ConfigError(
                f"HyenaDNA's filters span {self.longest:,} positions, and the window has {length:,}. "
                f"Set model.backbone.longest to {length} and train anew, or use a shorter window."
            )

    def build(self) -> HyenaStack:
        """Return the stack, with fresh weights."""
        return HyenaStack(self)


class HyenaBlock(nn.Module):
    """x + Hyena(LayerNorm(x)), and then a perceptron per position in the same way."""

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
        """Add what the block reads from the window, then what it makes of each position."""
        x = x + self.mixer(self.mixer_norm(x))
        added: Tensor = self.perceptron(self.perceptron_norm(x))
        return x + added


class HyenaStack(Layered):
    """Dropout, the blocks, and a last LayerNorm; what the blocks add up to stays in float32."""

    def __init__(self, config: HyenaDNA) -> None:
        super().__init__()
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(HyenaBlock(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw linear layers from N(0, 0.02²), smaller by the root of the number of branches where they end one."""
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                ends_branch = name.endswith(("out_proj", "perceptron.2"))
                shrink = math.sqrt(2 * self.config.n_layers) if ends_branch else 1.0
                nn.init.normal_(module.weight, std=0.02 / shrink)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Read the window from its start, block by block.

        Raises
        ------
        ConfigError
            The window is longer than the filters.
        """
        self.config.check_length(x.shape[1])
        x = self.dropout(x.to(torch.promote_types(x.dtype, torch.float32)))
        for block in self.blocks:
            x = self.run_layer(block, x)
        hidden: Tensor = self.norm(x)
        return hidden
