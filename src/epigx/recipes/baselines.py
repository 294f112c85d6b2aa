"""Recipes of the baselines, to try before a network; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from epigx.baselines import GradientBoosting, PromoterActivity, Ridge
from epigx.recipes.data import Scale, Window, choose_data
from epigx.runs.config import RunConfig

__all__ = ["activity", "boosting", "ridge"]


def boosting(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return gradient boosting on binned signals, features and k-mers; it reads the dataset's whole window.

    Parameters are those of :func:`epigx.recipes.models.infer`; ``seed`` and ``scale`` have no effect.
    """
    return RunConfig(data=choose_data(data, cell_type, window, "paper", None), method=GradientBoosting())


def ridge(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return ridge regression on the columns of :func:`boosting`."""
    return RunConfig(data=choose_data(data, cell_type, window, "paper", None), method=Ridge())


def activity(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return a line through the promoter's activity, √(H3K27ac × accessibility) of TSS ± 500 bp."""
    return RunConfig(data=choose_data(data, cell_type, window, "paper", None), method=PromoterActivity())
