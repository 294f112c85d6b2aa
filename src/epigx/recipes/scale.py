"""The two sizes of all recipes.

``paper`` has the settings of the paper and the official code. ``small`` is for machines without a GPU: short windows,
narrow networks and few steps, so that ten systems train on a simulated genome within twenty minutes on two cores. Its
scores are not comparable with those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from epigx.models import EnformerModel, EPInformerModel
from epigx.recipes.data import SEEDS, SMALL, Scale
from epigx.training.config import TrainingConfig

__all__ = ["SIZES", "Size"]


@dataclass(frozen=True)
class Size:
    """Settings of a scale.

    Parameters
    ----------
    d_model, n_layers : int
        Width and depth of a backbone.
    window : int or None, bp
        Window to read; ``None`` for the recipe's default.
    enformer : EnformerModel
        Sizes of Enformer.
    epinformer : EPInformerModel
        Sizes of EPInformer.
    training : TrainingConfig
        Training of all systems, unless a recipe has its own settings.
    seeds : tuple of int
        Default seeds of a table or figure.
    """

    d_model: int
    n_layers: int
    window: int | None
    enformer: EnformerModel
    epinformer: EPInformerModel
    training: TrainingConfig
    seeds: tuple[int, ...]


SIZES: dict[Scale, Size] = {
    "paper": Size(
        d_model=128,
        n_layers=4,
        window=None,
        enformer=EnformerModel(),
        epinformer=EPInformerModel(),
        training=TrainingConfig(),
        seeds=SEEDS,
    ),
    "small": Size(
        d_model=32,
        n_layers=2,
        window=SMALL,
        enformer=EnformerModel(
            d_model=48, n_layers=2, n_heads=4, d_key=16, n_poolings=5, multiple=12, dropout=0.1, d_head=32
        ),
        epinformer=EPInformerModel(stem=16, stages=(16, 16, 16, 32), d_model=32, n_layers=2),
        training=TrainingConfig(steps=240, warmup_steps=24, warmup_lr=1e-4, lr=3e-3, lr_min=3e-4),
        seeds=SEEDS[:2],
    ),
}
