"""The two sizes in which each recipe comes, all their numbers in one place.

``paper`` is what the paper and the official code trained. ``small`` shows the same systems at work where there is no
accelerator: short windows, narrow networks and few steps, the same for all, so that ten systems learn a simulated
genome within twenty minutes on two cores. Its scores compare systems at that size, and say nothing of the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

from epigx.models import EnformerModel, EPInformerModel
from epigx.recipes.data import SEEDS, SMALL, Scale
from epigx.training.config import TrainingConfig

__all__ = ["SIZES", "Size"]


@dataclass(frozen=True)
class Size:
    """What a scale decides.

    Parameters
    ----------
    d_model, n_layers : int
        Width and depth of a backbone.
    window : int or None, bp
        Window to read; ``None`` leaves it to the recipe.
    enformer : EnformerModel
        Enformer, whose sizes are of another kind.
    epinformer : EPInformerModel
        EPInformer, likewise; its elements are as long as datasets store them.
    training : TrainingConfig
        How all systems are trained, where a recipe has no setting of its own.
    seeds : tuple of int
        Seeds of an exhibit, unless said otherwise.
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
