"""Systems that read selected positions of the window: Seq2Exp, which learns them, and accessibility peaks.

Their parameters are those of :func:`~epigx.recipes.models.infer`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from epigx.backbones import Caduceus
from epigx.models import PredictorModel, Seq2ExpHard, Seq2ExpSoft
from epigx.objectives import Bottleneck, Regression
from epigx.recipes.assemble import assemble
from epigx.recipes.data import LONG, Scale, Window, choose_data
from epigx.recipes.scale import SIZES
from epigx.runs.config import DataConfig, RunConfig

__all__ = ["macs3_mask", "seq2exp_hard", "seq2exp_soft"]

PROMOTER = 2_000
"""Central base pairs that Seq2Exp always selects and all systems of its comparison pool."""


def seq2exp_soft(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Seq2Exp-soft: 4 + 4 layers, prior Beta(10, 90), 1,114,249 parameters; windows longer than 2 kb."""
    where, backbone = choose_data(data, cell_type, window, scale, LONG), _caduceus(scale)
    model = Seq2ExpSoft(backbone=backbone, generator=backbone, pool=_promoter(where, scale))
    return assemble(model, Bottleneck(mean=0.1, scale=10.0), where, seed, scale, precision="bf16")


def seq2exp_hard(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Seq2Exp-hard: 4 layers for both passes, 574,985 parameters and 128 for each position of the window.

    Genes are packed separately (docs/decisions/0014); set ``model.packing=batch`` for the official behaviour.
    """
    where = choose_data(data, cell_type, window, scale, LONG)
    model = Seq2ExpHard(backbone=_caduceus(scale), pool=_promoter(where, scale))
    return assemble(model, Bottleneck(mean=0.45, scale=0.1), where, seed, scale, precision="bf16")


def macs3_mask(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Caduceus with signals, masked to accessibility peaks (MACS3 in Table 1): 574,721 parameters.

    Its official settings are unknown; it is trained like Seq2Exp.
    """
    where = choose_data(data, cell_type, window, scale, LONG)
    model = PredictorModel(backbone=_caduceus(scale), mask="peaks", pool=PROMOTER)
    return assemble(model, Regression(distance="smooth_l1"), where, seed, scale, precision="bf16")


def _caduceus(scale: Scale) -> Caduceus:
    return Caduceus(d_model=SIZES[scale].d_model, n_layers=SIZES[scale].n_layers)


def _promoter(data: DataConfig, scale: Scale) -> int:
    """Return the central base pairs that are always selected; a quarter of the window at the small scale."""
    return PROMOTER if scale == "paper" else max(1, (data.window or PROMOTER) // 4)
