"""Caduceus: a stack of bidirectional Mamba blocks (Schiff et al., 2024)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from epigx.backbones.base import Backbone
from epigx.layers.stack import BYTES_PER_CHANNEL, MambaStack

__all__ = ["Caduceus"]


class Caduceus(Backbone):
    """Caduceus without token embedding and without reverse-complement sharing; the paper uses four layers (Table 9)."""

    kind: Literal["caduceus"] = "caduceus"
    n_layers: int = Field(default=4, ge=1)
    """Number of blocks."""
    d_state: int = Field(default=16, ge=1)
    """States per inner channel."""
    d_conv: int = Field(default=4, ge=1)
    """Width of the short convolution, in positions."""
    expand: int = Field(default=2, ge=1)
    """Inner channels per channel."""

    @property
    def bytes_per_position(self) -> float:
        """Rough memory that training keeps per position, in bytes."""
        return BYTES_PER_CHANNEL * self.n_layers * self.d_model

    def build(self) -> MambaStack:
        """Return the stack with fresh weights."""
        return MambaStack(self.n_layers, self.d_model, self.d_state, self.d_conv, self.expand, bidirectional=True)
