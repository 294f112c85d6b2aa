"""Assembles run configurations from the settings of a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from epigx.models import Model
from epigx.objectives import Objective
from epigx.recipes.scale import SIZES, Scale, Window
from epigx.runs.config import DataConfig, RunConfig, TrainingConfig

__all__ = ["LONG", "SHORT", "assemble", "choose_data"]

SHORT, LONG = 2_000, 200_000
"""Windows in bp: of InFER, and of Seq2Exp and the methods it was compared with, whose results Table 1 cites."""


def choose_data(
    data: str | Path, cell_type: str | Iterable[str], window: Window, scale: Scale, published: int
) -> DataConfig:
    """Return the data settings; ``published`` is the window at the paper's scale, in bp."""
    cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
    read = (SIZES[scale].window or published) if window == "recipe" else window
    return DataConfig.parse({"path": str(data), "cell_types": cell_types, "window": read})


def assemble(
    model: Model, objective: Objective, data: DataConfig, seed: int, scale: Scale, **settings: Any
) -> RunConfig:
    """Return the configuration of a run; ``settings`` of the training apply only at the paper's scale."""
    own = settings if scale == "paper" else {}
    training = TrainingConfig.parse({**SIZES[scale].training.model_dump(), **own, "seed": seed})
    return RunConfig(data=data, model=model, objective=objective, training=training)
