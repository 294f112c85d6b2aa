"""Sequence networks (batch, length, channel) to the same; one file per family."""

from epigx.backbones.base import Backbone
from epigx.backbones.caduceus import Caduceus
from epigx.backbones.hyena import HyenaDNA
from epigx.backbones.mamba import Mamba

__all__ = ["Backbone", "Caduceus", "HyenaDNA", "Mamba"]
