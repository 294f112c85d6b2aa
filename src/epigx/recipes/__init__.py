"""The paper as code."""

from epigx.recipes.models import SEEDS, caduceus, caduceus_signals, enformer, hyenadna, infer, mamba, prism
from epigx.recipes.scale import SIZES, Scale, Size

__all__ = [
    "SEEDS",
    "SIZES",
    "Scale",
    "Size",
    "caduceus",
    "caduceus_signals",
    "enformer",
    "hyenadna",
    "infer",
    "mamba",
    "prism",
]
