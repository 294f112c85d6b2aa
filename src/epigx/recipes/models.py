"""The paper's model, its official code's form, and its plain counterpart: functions that return a whole run.

A recipe's result is complete and frozen; change it with :meth:`~epigx.config.Config.override`.

Examples
--------
>>> config = infer(data="data/k562", cell_type="K562").override("objective.alpha=0.1")
>>> config.objective.alpha, config.training.steps
(0.1, 50000)
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from epigx.backbones import Caduceus
from epigx.models import PredictorModel
from epigx.objectives import Backdoor, Objective, Regression
from epigx.training.config import DataConfig, RunConfig, TrainingConfig

__all__ = ["caduceus_signals", "infer", "prism"]

SEEDS = (2, 22, 222, 2222, 22222)
"""The five seeds that the paper's means and standard deviations are over (section 4)."""


def infer(*, data: str | Path, cell_type: str | Iterable[str], seed: int = 2, window: int | None = 2_000) -> RunConfig:
    """Return InFER as the paper has it: Eq. 1-6 on 2 kb windows, n = 2, α = β = 1, trained as in Table 9.

    Parameters
    ----------
    data : str or Path
        Dataset folder.
    cell_type : str or iterable of str
        Cell types of the dataset to train on.
    seed : int
        Seed of weights and gene order; the paper uses 2, 22, 222, 2222 and 22222.
    window : int or None, bp
        Central part of the dataset's window to read; ``None`` reads all of it.
    """
    objective = Backdoor(
        alpha=1.0, beta=1.0, n_patterns=2, distance="l1", average="predictions", diagonal=False, activation="sigmoid"
    )
    return _run(objective, data, cell_type, seed, window)


def prism(*, data: str | Path, cell_type: str | Iterable[str], seed: int = 2, window: int | None = 2_000) -> RunConfig:
    """Return InFER as the later official code has it, so that its weights load and give its numbers.

    Smooth L1, hidden states averaged over patterns, the diagonal kept in L₃, bfloat16 arithmetic; the rest is
    :func:`infer`, which takes the same parameters.
    """
    objective = Backdoor(
        alpha=1.0,
        beta=1.0,
        n_patterns=2,
        distance="smooth_l1",
        average="hidden",
        diagonal=True,
        normalize=True,
        activation="sigmoid",
        temperature=2.0,
    )
    return _run(objective, data, cell_type, seed, window, precision="bf16")


def caduceus_signals(
    *, data: str | Path, cell_type: str | Iterable[str], seed: int = 2, window: int | None = 2_000
) -> RunConfig:
    """Return the plain counterpart of :func:`infer`: the same model, data and training, L₁ alone (Table 7)."""
    return _run(Regression(distance="l1"), data, cell_type, seed, window)


def _run(
    objective: Objective,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int,
    window: int | None,
    precision: Literal["fp32", "bf16"] = "fp32",
) -> RunConfig:
    cell_types = (cell_type,) if isinstance(cell_type, str) else tuple(cell_type)
    return RunConfig(
        data=DataConfig(path=str(data), cell_types=cell_types, window=window),
        model=PredictorModel(backbone=Caduceus(d_model=128, n_layers=4), signals=True, pool=2_000),
        objective=objective,
        training=TrainingConfig(seed=seed, precision=precision),
    )
