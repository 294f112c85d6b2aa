"""Sequence networks (batch, length, channel) to the same; one file per family."""

from epigx.backbones.base import Backbone
from epigx.backbones.caduceus import Caduceus

__all__ = ["Backbone", "Caduceus"]
