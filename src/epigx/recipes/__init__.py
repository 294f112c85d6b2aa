"""Recipes: functions that return the run configurations of the paper."""

from epigx.recipes.elements import epinformer
from epigx.recipes.models import caduceus, caduceus_signals, enformer, hyenadna, infer, mamba, prism
from epigx.recipes.scale import SEEDS, SIZES, Scale, Size
from epigx.recipes.selection import macs3_mask, seq2exp_hard, seq2exp_soft

__all__ = [
    "SEEDS",
    "SIZES",
    "Scale",
    "Size",
    "caduceus",
    "caduceus_signals",
    "enformer",
    "epinformer",
    "hyenadna",
    "infer",
    "macs3_mask",
    "mamba",
    "prism",
    "seq2exp_hard",
    "seq2exp_soft",
]
