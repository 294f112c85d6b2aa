"""EPInformer, which reads the promoter and candidate enhancers instead of a window."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from epigx.objectives import Regression
from epigx.recipes.assemble import assemble
from epigx.recipes.data import SHORT, Scale, Window, choose_data
from epigx.recipes.scale import SIZES
from epigx.runs.config import RunConfig

__all__ = ["epinformer"]


def epinformer(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return EPInformer v2 as trained for Seq2Exp: 447,341 parameters, 16 genes per step, constant learning rate.

    The parameters are those of :func:`~epigx.recipes.models.infer`. The window is ignored, and the dataset must contain
    elements. The official 20 epochs are about 20,000 steps with the paper's 16,000 training genes; it uses bfloat16
    instead of float16.
    """
    where = choose_data(data, cell_type, window, scale, SHORT).model_copy(update={"signals": ()})
    return assemble(
        SIZES[scale].epinformer,
        Regression(distance="smooth_l1"),
        where,
        seed,
        scale,
        precision="bf16",
        batch_size=16,
        steps=20_000,
        warmup_steps=0,
        lr_min=5e-4,
        validate_every=1.0,
    )
