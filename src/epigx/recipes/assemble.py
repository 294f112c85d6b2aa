"""From what a recipe says of a network to the whole run."""

from __future__ import annotations

from typing import Any

from epigx.models import Model
from epigx.objectives import Objective
from epigx.recipes.data import Scale
from epigx.recipes.scale import SIZES
from epigx.runs.config import DataConfig, RunConfig
from epigx.training.config import TrainingConfig
from epigx.training.network import Network

__all__ = ["assemble"]


def assemble(
    model: Model, objective: Objective, data: DataConfig, seed: int, scale: Scale, **settings: Any
) -> RunConfig:
    """Return a run; ``settings`` of a system's own training hold at the paper's scale only."""
    own = settings if scale == "paper" else {}
    training = TrainingConfig.parse({**SIZES[scale].training.model_dump(), **own, "seed": seed})
    return RunConfig(data=data, method=Network(model=model, objective=objective, training=training))
