"""What a backbone is: a sequence network that keeps the shape (batch, length, channel)."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import Field
from torch import nn

from epigx.config import Kind
from epigx.layers.linear import Linear

__all__ = ["Backbone"]


class Backbone(Kind):
    """Settings of a sequence network; a new backbone is a subclass with its own ``kind`` and ``build``."""

    d_model: int = Field(default=128, ge=1)
    """Channels of its input and output."""

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network, with fresh weights: ``Float[Tensor, "batch length d_model"]`` to the same shape."""

    def embedding(self) -> nn.Module:
        """Return what embeds one-hot bases as its input: a linear layer, unless the family has its own."""
        return Linear(4, self.d_model)

    def check_length(self, length: int) -> None:
        """Raise ConfigError for a number of positions that the family cannot take; any will do, unless it says so."""
