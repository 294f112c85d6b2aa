"""Caduceus: a stack of bidirectional Mamba blocks (Schiff et al., 2024)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from epigx.backbones.base import Backbone
from epigx.layers.mamba import BiMamba
from epigx.layers.norm import RMSNorm

__all__ = ["Caduceus", "CaduceusBlock", "CaduceusStack"]


class Caduceus(Backbone):
    """Caduceus without its token embedding, reverse-complement sharing off; four layers are the paper's (Table 9)."""

    kind: Literal["caduceus"] = "caduceus"
    n_layers: int = Field(default=4, ge=1)
    """Blocks."""
    d_state: int = Field(default=16, ge=1)
    """States per inner channel."""
    d_conv: int = Field(default=4, ge=1)
    """Bases that the short convolution spans."""
    expand: int = Field(default=2, ge=1)
    """Inner channels per channel."""

    def build(self) -> CaduceusStack:
        """Return the stack, with fresh weights."""
        return CaduceusStack(self)


class CaduceusBlock(nn.Module):
    """x + BiMamba(RMSNorm(x))."""

    def __init__(self, config: Caduceus) -> None:
        super().__init__()
        self.norm = RMSNorm(config.d_model)
        self.mixer = BiMamba(config.d_model, config.d_state, config.d_conv, config.expand)

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Add what the block reads from the window."""
        mixed: Tensor = self.mixer(self.norm(x))
        return x + mixed


class CaduceusStack(nn.Module):
    """The blocks, and a last RMSNorm.

    Each block's projection out starts smaller by the root of the number of blocks, so that the variance of the sum
    over blocks does not grow with depth.
    """

    def __init__(self, config: Caduceus) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(CaduceusBlock(config) for _ in range(config.n_layers))
        self.norm = RMSNorm(config.d_model)
        with torch.no_grad():
            for parameter in (p for name, p in self.named_parameters() if name.endswith("out_proj.weight")):
                parameter.div_(math.sqrt(config.n_layers))

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Read the window from both ends, block by block."""
        for block in self.blocks:
            x = block(x)
        hidden: Tensor = self.norm(x)
        return hidden
