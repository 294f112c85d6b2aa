"""Recipes of the paper's model, of its official code, and of the systems it is compared with.

A recipe returns a complete, frozen run configuration; change it with :meth:`~epigx.config.Config.override`. All recipes
take the parameters of :func:`infer` and have two sizes (:mod:`epigx.recipes.scale`).

Examples
--------
>>> config = infer(data="data/k562", cell_type="K562").override("objective.alpha=0.1")
>>> config.method.objective.alpha, config.method.training.steps
(0.1, 50000)
>>> mamba(data="data/k562", cell_type="K562", scale="small").data.window
256
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from epigx.backbones import Backbone, Caduceus, HyenaDNA, Mamba
from epigx.models import PredictorModel
from epigx.objectives import Backdoor, Regression
from epigx.recipes.assemble import assemble
from epigx.recipes.data import LONG, SHORT, Scale, Window, choose_data
from epigx.recipes.scale import SIZES
from epigx.runs.config import DataConfig, RunConfig

__all__ = ["caduceus", "caduceus_signals", "enformer", "hyenadna", "infer", "mamba", "prism"]


def infer(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return InFER as in the paper: Eq. 1-6 on 2 kb windows, n = 2, α = β = 1, trained as in Table 9.

    Parameters
    ----------
    data : str or Path
        Folder of the dataset.
    cell_type : str or iterable of str
        Cell types to train on.
    seed : int
        Seed of weights and gene order; the paper uses 2, 22, 222, 2222 and 22222.
    window : int, "recipe" or None, bp
        Central part of the dataset's window to read. The default is that of the paper, 2 kb (200 kb for Seq2Exp and
        systems on DNA only), or 256 bp at the small scale. ``None`` reads the whole window.
    scale : {"paper", "small"}
        Width, depth and training as published, or reduced to minutes on a CPU.
    """
    objective = Backdoor(
        alpha=1.0, beta=1.0, n_patterns=2, distance="l1", average="predictions", diagonal=False, activation="sigmoid"
    )
    return assemble(_with_signals(scale), objective, choose_data(data, cell_type, window, scale, SHORT), seed, scale)


def prism(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return InFER as in the later official code, whose weights it can load and whose numbers it reproduces.

    It uses smooth L1, averages hidden states over patterns, includes the diagonal in L₃ and computes in bfloat16; the
    rest is as in :func:`infer`.
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
    where = choose_data(data, cell_type, window, scale, SHORT)
    return assemble(_with_signals(scale), objective, where, seed, scale, precision="bf16")


def caduceus_signals(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return :func:`infer` without interventions: the same model, data and training, with L₁ only (Table 7).

    It has 574,721 parameters (574K in Table 8). In Seq2Exp's code, bases and signals share one linear layer, which has
    128 parameters less because of its single bias; both compute the same functions.
    """
    where = choose_data(data, cell_type, window, scale, SHORT)
    return assemble(_with_signals(scale), Regression(distance="l1"), where, seed, scale)


def caduceus(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Caduceus on DNA only, as trained for Seq2Exp: 574,209 parameters, 16 genes per step."""
    size = SIZES[scale]
    backbone = Caduceus(d_model=size.d_model, n_layers=size.n_layers)
    return _dna(backbone, choose_data(data, cell_type, window, scale, LONG), seed, scale, batch_size=16)


def mamba(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Mamba on DNA only, as trained for Seq2Exp: 502,401 parameters, 16 genes per step."""
    size = SIZES[scale]
    backbone = Mamba(d_model=size.d_model, n_layers=size.n_layers)
    return _dna(backbone, choose_data(data, cell_type, window, scale, LONG), seed, scale, batch_size=16)


def hyenadna(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return HyenaDNA on DNA only, as trained for Seq2Exp: 903,681 parameters, filters as long as the window."""
    size = SIZES[scale]
    where = choose_data(data, cell_type, window, scale, LONG)
    backbone = HyenaDNA(d_model=size.d_model, n_layers=size.n_layers, longest=where.window or LONG)
    return _dna(backbone, where, seed, scale)


def enformer(
    *,
    data: str | Path,
    cell_type: str | Iterable[str],
    seed: int = 2,
    window: Window = "recipe",
    scale: Scale = "paper",
) -> RunConfig:
    """Return Enformer on DNA only, as trained for Seq2Exp: from scratch, constant rate after a long warm-up."""
    return assemble(
        SIZES[scale].enformer,
        Regression(distance="smooth_l1"),
        choose_data(data, cell_type, window, scale, LONG),
        seed,
        scale,
        precision="bf16",
        batch_size=4,
        lr=7e-6,
        lr_min=7e-6,
        warmup_lr=0.0,
        warmup_steps=50_000,
        steps=200_000,
    )


def _with_signals(scale: Scale) -> PredictorModel:
    size = SIZES[scale]
    return PredictorModel(backbone=Caduceus(d_model=size.d_model, n_layers=size.n_layers), signals=True, pool=2_000)


def _dna(backbone: Backbone, data: DataConfig, seed: int, scale: Scale, **settings: Any) -> RunConfig:
    """Return a system of Seq2Exp's comparison: a backbone on DNA only, smooth L1, bfloat16."""
    model = PredictorModel(backbone=backbone, signals=False, pool=2_000)
    return assemble(model, Regression(distance="smooth_l1"), data, seed, scale, precision="bf16", **settings)
