"""The paper as code."""

from epigx.recipes.models import SEEDS, caduceus_signals, infer, prism

__all__ = ["SEEDS", "caduceus_signals", "infer", "prism"]
