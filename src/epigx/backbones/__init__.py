"""Sequence networks that keep the shape (batch, length, channel); one file per family."""

from epigx.backbones.base import Backbone
from epigx.backbones.caduceus import Caduceus
from epigx.backbones.hyena import HyenaDNA
from epigx.backbones.mamba import Mamba

__all__ = ["Backbone", "Caduceus", "HyenaDNA", "Mamba"]
