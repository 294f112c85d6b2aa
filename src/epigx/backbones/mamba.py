"""Mamba: a stack of selective state-space blocks that read a window from left to right (Gu & Dao, 2023)."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import nn

from epigx.backbones.base import MambaBackbone
from epigx.layers.embedding import TokenEmbedding

__all__ = ["Mamba"]


class Mamba(MambaBackbone):
    """Mamba as trained for Seq2Exp: 502,401 parameters with four layers and the predictor's head.

    Windows can have any length. A position depends only on the positions before it.
    """

    bidirectional: ClassVar[bool] = False
    kind: Literal["mamba"] = "mamba"

    def embedding(self) -> nn.Module:
        """Return a token embedding, which Mamba uses instead of a linear layer."""
        return TokenEmbedding(self.d_model)
