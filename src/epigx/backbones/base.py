"""The base class of backbones: sequence networks that keep the shape (batch, length, channel)."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field
from torch import nn

from epigx.config import Kind
from epigx.layers.linear import Linear
from epigx.layers.stack import BYTES_PER_CHANNEL

__all__ = ["Backbone"]


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
