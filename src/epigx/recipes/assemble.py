"""Combine a recipe's model, objective and data into a configuration."""

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
    """Return the configuration; ``settings`` for training apply at the paper's scale only."""
    own = settings if scale == "paper" else {}
    training = TrainingConfig.parse({**SIZES[scale].training.model_dump(), **own, "seed": seed})
    return RunConfig(data=data, method=Network(model=model, objective=objective, training=training))
