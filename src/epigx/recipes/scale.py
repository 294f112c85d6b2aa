"""The two sizes of all recipes, and how a recipe's parts become a configuration.

``paper`` has the settings of the paper and the official code. ``small`` is for machines without a GPU: short windows,
narrow networks and few steps, so that ten systems train on a simulated genome within twenty minutes on two cores. Its
scores are not comparable with those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from epigx.models import EnformerModel, EPInformerModel, Model
from epigx.objectives import Objective
from epigx.recipes.data import Scale
from epigx.runs.config import DataConfig, RunConfig
from epigx.training.config import TrainingConfig
from epigx.training.network import Network

__all__ = ["SIZES", "Size", "assemble"]


@dataclass(frozen=True)
class Size:
    """Settings of a scale."""

    d_model: int
    """Width of a backbone."""
    n_layers: int
    """Its depth."""
    enformer: EnformerModel
    epinformer: EPInformerModel
    training: TrainingConfig
    """Training of all systems, unless a recipe has its own settings."""


SIZES: dict[Scale, Size] = {
    "paper": Size(
        d_model=128,
        n_layers=4,
        enformer=EnformerModel(),
        epinformer=EPInformerModel(),
        training=TrainingConfig(),
    ),
    "small": Size(
        d_model=32,
        n_layers=2,
        enformer=EnformerModel(
            d_model=48, n_layers=2, n_heads=4, d_key=16, n_poolings=5, multiple=12, dropout=0.1, d_head=32
        ),
        epinformer=EPInformerModel(stem=16, stages=(16, 16, 16, 32), d_model=32, n_layers=2),
        training=TrainingConfig(steps=240, warmup_steps=24, warmup_lr=1e-4, lr=3e-3, lr_min=3e-4),
    ),
}


def assemble(
    model: Model, objective: Objective, data: DataConfig, seed: int, scale: Scale, **settings: Any
) -> RunConfig:
    """Return a recipe's configuration; ``settings`` for training apply at the paper's scale only."""
    own = settings if scale == "paper" else {}
    training = TrainingConfig.parse({**SIZES[scale].training.model_dump(), **own, "seed": seed})
    return RunConfig(data=data, method=Network(model=model, objective=objective, training=training))
