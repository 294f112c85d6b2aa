"""What a backbone is: a sequence network that keeps the shape (batch, length, channel)."""

from __future__ import annotations

from abc import abstractmethod

from pydantic import Field
from torch import nn

from epigx.config import Kind

__all__ = ["Backbone"]


class Backbone(Kind):
    """Settings of a sequence network; a new backbone is a subclass with its own ``kind`` and ``build``."""

    d_model: int = Field(default=128, ge=1)
    """Channels of its input and output."""

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network, with fresh weights: ``Float[Tensor, "batch length d_model"]`` to the same shape."""
