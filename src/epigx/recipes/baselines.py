"""Recipes of the baselines, to try before a network; nothing here imports torch."""

from __future__ import annotations

from epigx.baselines import GradientBoosting, PromoterActivity, Ridge
from epigx.recipes.data import Scale, recipe
from epigx.runs.config import DataConfig, RunConfig

__all__ = ["activity", "boosting", "ridge"]


@recipe(None)
def boosting(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return gradient boosting on binned signals, features and k-mers; it reads the dataset's whole window."""
    return RunConfig(data=data, method=GradientBoosting())


@recipe(None)
def ridge(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return ridge regression on the columns of :func:`boosting`."""
    return RunConfig(data=data, method=Ridge())


@recipe(None)
def activity(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return a line through the promoter's activity, √(H3K27ac × accessibility) of TSS ± 500 bp."""
    return RunConfig(data=data, method=PromoterActivity())
