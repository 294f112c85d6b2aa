"""Mamba: a stack of selective state spaces that read a window from its start (Gu & Dao, 2023)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from torch import nn

from epigx.backbones.base import Backbone
from epigx.layers.embedding import TokenEmbedding
from epigx.layers.stack import MambaStack

__all__ = ["Mamba"]


class Mamba(Backbone):
    """Mamba as Seq2Exp trained it; with four layers and the predictor's head, 502,401 parameters.

    It takes windows of any length. A position knows nothing of those after it.
    """

    kind: Literal["mamba"] = "mamba"
    n_layers: int = Field(default=4, ge=1)
    """Blocks."""
    d_state: int = Field(default=16, ge=1)
    """States per inner channel."""
    d_conv: int = Field(default=4, ge=1)
    """Bases that the short convolution spans."""
    expand: int = Field(default=2, ge=1)
    """Inner channels per channel."""

    def embedding(self) -> nn.Module:
        """Return the table of tokens that Mamba has in place of a linear layer."""
        return TokenEmbedding(self.d_model)

    def build(self) -> MambaStack:
        """Return the stack, with fresh weights."""
        return MambaStack(self.n_layers, self.d_model, self.d_state, self.d_conv, self.expand, bidirectional=False)
