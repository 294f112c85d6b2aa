"""From what a recipe says of a system to the whole run."""

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
"""Windows in bp: InFER's, and that of Seq2Exp and all that it was compared with, whose results Table 1 cites."""


def choose_data(
    data: str | Path, cell_type: str | Iterable[str], window: Window, scale: Scale, published: int
) -> DataConfig:
    """Say what to read; ``published`` is the window of the paper's scale."""
    cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
    read = (SIZES[scale].window or published) if window == "recipe" else window
    return DataConfig.parse({"path": str(data), "cell_types": cell_types, "window": read})


def assemble(
    model: Model, objective: Objective, data: DataConfig, seed: int, scale: Scale, **settings: Any
) -> RunConfig:
    """Put a run together; the settings of a system's own training are those of the paper's scale alone."""
    own = settings if scale == "paper" else {}
    training = TrainingConfig.parse({**SIZES[scale].training.model_dump(), **own, "seed": seed})
    return RunConfig(data=data, model=model, objective=objective, training=training)
