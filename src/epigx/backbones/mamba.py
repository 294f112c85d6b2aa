"""Mamba: a stack of selective state-space blocks that read a window from left to right (Gu & Dao, 2023)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from epigx.backbones.base import Backbone
from epigx.layers.embedding import TokenEmbedding
from epigx.layers.stack import BYTES_PER_CHANNEL, MambaStack

__all__ = ["Mamba"]


class Mamba(Backbone):
    """Mamba as trained for Seq2Exp: 502,401 parameters with four layers and the predictor's head.

    Windows can have any length. A position depends only on the positions before it.
    """

    kind: Literal["mamba"] = "mamba"
    n_layers: int = Field(default=4, ge=1)
    """Number of blocks."""
    d_state: int = Field(default=16, ge=1)
    """States per inner channel."""
    d_conv: int = Field(default=4, ge=1)
    """Width of the short convolution, in positions."""
    expand: int = Field(default=2, ge=1)
    """Inner channels per channel."""

    def embedding(self) -> nn.Module:
        """Return a token embedding, which Mamba uses instead of a linear layer."""
        return TokenEmbedding(self.d_model)

    @property
    def bytes_per_position(self) -> float:
        """Rough memory that training keeps per position, in bytes."""
        return BYTES_PER_CHANNEL * self.n_layers * self.d_model

    def build(self) -> MambaStack:
        """Return the stack with fresh weights."""
        return MambaStack(self.n_layers, self.d_model, self.d_state, self.d_conv, self.expand, bidirectional=False)
