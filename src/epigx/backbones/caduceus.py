"""Caduceus: a stack of bidirectional Mamba blocks (Schiff et al., 2024)."""

from __future__ import annotations

from typing import ClassVar, Literal

from epigx.backbones.base import MambaBackbone

__all__ = ["Caduceus"]


class Caduceus(MambaBackbone):
    """Caduceus without token embedding and without reverse-complement sharing; the paper uses four layers (Table 9)."""

    bidirectional: ClassVar[bool] = True
    kind: Literal["caduceus"] = "caduceus"
