"""Recipes: functions that return the complete configuration of a run; each is imported on first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from epigx.recipes.baselines import activity, boosting, ridge
    from epigx.recipes.data import SEEDS, Scale
    from epigx.recipes.models import (
        caduceus,
        caduceus_signals,
        enformer,
        epinformer,
        hyenadna,
        infer,
        macs3_mask,
        mamba,
        prism,
        seq2exp_hard,
        seq2exp_soft,
    )
    from epigx.recipes.scale import SIZES, Size

__all__ = [
    "SEEDS", "SIZES", "Scale", "Size",
    "activity", "boosting", "caduceus", "caduceus_signals", "enformer", "epinformer", "hyenadna", "infer", "macs3_mask",
    "mamba", "prism", "ridge", "seq2exp_hard", "seq2exp_soft",
]  # fmt: skip

_MODULES = {
    "SEEDS": "data", "Scale": "data", "SIZES": "scale", "Size": "scale",
    "activity": "baselines", "boosting": "baselines", "ridge": "baselines",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'epigx.recipes' has no attribute {name!r}")
    return getattr(import_module(f"epigx.recipes.{_MODULES.get(name, 'models')}"), name)


def __dir__() -> list[str]:
    return __all__
