"""The base classes of backbones: sequence networks that keep the shape (batch, length, channel)."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field
from torch import nn

from epigx.config import Kind
from epigx.layers.linear import Linear
from epigx.layers.stack import BYTES_PER_CHANNEL, MambaStack

__all__ = ["Backbone", "MambaBackbone"]


class Backbone(Kind):
    """Settings of a sequence network. To add a backbone, write a subclass with its own ``kind`` and ``build``."""

    group: ClassVar[str] = "epigx.backbones"

    d_model: int = Field(default=128, ge=1)
    """Channels of its input and output."""

    @property
    def bytes_per_position(self) -> float:
        """Rough memory that training keeps per position, in bytes; by default that of four Mamba layers."""
        return 4 * BYTES_PER_CHANNEL * self.d_model

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network with fresh weights; input and output are ``Float[Tensor, "batch length d_model"]``."""

    def embedding(self) -> nn.Module:
        """Return the layer that embeds one-hot bases; by default a linear layer."""
        return Linear(4, self.d_model)

    def check_length(self, length: int) -> None:
        """Raise ConfigError if the network cannot read this number of positions; by default any length is allowed."""


class MambaBackbone(Backbone):
    """A stack of Mamba blocks, in one direction or in both; it reads windows of any length."""

    bidirectional: ClassVar[bool]
    """Whether the blocks read the window in both directions."""

    kind: str
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
        sizes = self.n_layers, self.d_model, self.d_state, self.d_conv, self.expand
        return MambaStack(*sizes, bidirectional=self.bidirectional)
