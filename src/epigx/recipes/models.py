"""Recipes of the paper's model, of its official code, and of the systems it is compared with.

A recipe returns a complete, frozen run configuration; change it with :meth:`~epigx.config.Config.override`. All
have the arguments of :class:`~epigx.recipes.data.Recipe` and two sizes (:mod:`epigx.recipes.scale`).

Examples
--------
>>> config = infer(data="data/k562", cell_type="K562").override("objective.alpha=0.1")
>>> config.method.objective.alpha, config.method.training.steps
(0.1, 50000)
>>> mamba(data="data/k562", cell_type="K562", scale="small").data.window
256
"""

from __future__ import annotations

from typing import Any

from epigx.backbones import Backbone, Caduceus, HyenaDNA, Mamba
from epigx.models import PredictorModel, Seq2ExpHard, Seq2ExpSoft
from epigx.objectives import Backdoor, Bottleneck, Regression
from epigx.recipes.data import LONG, SHORT, Scale, recipe
from epigx.recipes.scale import SIZES, assemble
from epigx.runs.config import DataConfig, RunConfig

__all__ = [
    "caduceus", "caduceus_signals", "enformer", "epinformer", "hyenadna", "infer", "macs3_mask", "mamba", "prism",
    "seq2exp_hard", "seq2exp_soft",
]  # fmt: skip

PROMOTER = 2_000
"""Central base pairs that all systems pool, and that Seq2Exp always selects."""


@recipe(SHORT)
def infer(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return InFER as in the paper: Eq. 1-6 on 2 kb windows, n = 2, α = β = 1, trained as in Table 9."""
    objective = Backdoor(
        alpha=1.0, beta=1.0, n_patterns=2, distance="l1", average="predictions", diagonal=False, activation="sigmoid"
    )
    return assemble(_with_signals(scale), objective, data, seed, scale)


@recipe(SHORT)
def prism(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
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
    return assemble(_with_signals(scale), objective, data, seed, scale, precision="bf16")


@recipe(SHORT)
def caduceus_signals(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return :func:`infer` without interventions: the same model, data and training, with L₁ only (Table 7).

    It has 574,721 parameters (574K in Table 8). In Seq2Exp's code, bases and signals share one linear layer, which has
    128 parameters less because of its single bias; both compute the same functions.
    """
    return assemble(_with_signals(scale), Regression(distance="l1"), data, seed, scale)


@recipe(LONG)
def caduceus(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Caduceus on DNA only, as trained for Seq2Exp: 574,209 parameters, 16 genes per step."""
    return _on_dna(_caduceus(scale), data, seed, scale, batch_size=16)


@recipe(LONG)
def mamba(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Mamba on DNA only, as trained for Seq2Exp: 502,401 parameters, 16 genes per step."""
    backbone = Mamba(d_model=SIZES[scale].d_model, n_layers=SIZES[scale].n_layers)
    return _on_dna(backbone, data, seed, scale, batch_size=16)


@recipe(LONG)
def hyenadna(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return HyenaDNA on DNA only, as trained for Seq2Exp: 903,681 parameters, filters as long as the window."""
    size = SIZES[scale]
    backbone = HyenaDNA(d_model=size.d_model, n_layers=size.n_layers, longest=data.window or LONG)
    return _on_dna(backbone, data, seed, scale)


@recipe(LONG)
def enformer(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Enformer on DNA only, as trained for Seq2Exp: from scratch, constant rate after a long warm-up."""
    return assemble(
        SIZES[scale].enformer,
        Regression(distance="smooth_l1"),
        data,
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


@recipe(LONG)
def seq2exp_soft(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Seq2Exp-soft: 4 + 4 layers, prior Beta(10, 90), 1,114,249 parameters; windows longer than 2 kb."""
    backbone = _caduceus(scale)
    model = Seq2ExpSoft(backbone=backbone, generator=backbone, pool=_selected(data, scale))
    return assemble(model, Bottleneck(mean=0.1, scale=10.0), data, seed, scale, precision="bf16")


@recipe(LONG)
def seq2exp_hard(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Seq2Exp-hard: 4 layers for both passes, 574,985 parameters and 128 for each position of the window.

    Genes are packed separately (docs/decisions/0014); set ``model.packing=batch`` for the official behaviour.
    """
    model = Seq2ExpHard(backbone=_caduceus(scale), pool=_selected(data, scale))
    return assemble(model, Bottleneck(mean=0.45, scale=0.1), data, seed, scale, precision="bf16")


@recipe(LONG)
def macs3_mask(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return Caduceus with signals, masked to accessibility peaks (MACS3 in Table 1): 574,721 parameters.

    Its official settings are unknown; it is trained like Seq2Exp.
    """
    model = PredictorModel(backbone=_caduceus(scale), mask="peaks", pool=PROMOTER)
    return assemble(model, Regression(distance="smooth_l1"), data, seed, scale, precision="bf16")


@recipe(SHORT)
def epinformer(data: DataConfig, seed: int, scale: Scale) -> RunConfig:
    """Return EPInformer v2 as trained for Seq2Exp: 447,341 parameters, 16 genes per step, constant learning rate.

    It reads the promoter and candidate enhancers instead of a window, so the dataset must contain elements. The
    official 20 epochs are about 20,000 steps with the paper's 16,000 training genes; it uses bfloat16 instead of
    float16.
    """
    return assemble(
        SIZES[scale].epinformer,
        Regression(distance="smooth_l1"),
        data.model_copy(update={"signals": ()}),
        seed,
        scale,
        precision="bf16",
        batch_size=16,
        steps=20_000,
        warmup_steps=0,
        lr_min=5e-4,
        validate_every=1.0,
    )


def _caduceus(scale: Scale) -> Caduceus:
    return Caduceus(d_model=SIZES[scale].d_model, n_layers=SIZES[scale].n_layers)


def _with_signals(scale: Scale) -> PredictorModel:
    return PredictorModel(backbone=_caduceus(scale), signals=True, pool=PROMOTER)


def _on_dna(backbone: Backbone, data: DataConfig, seed: int, scale: Scale, **settings: Any) -> RunConfig:
    """Return a system of Seq2Exp's comparison: a backbone on DNA only, smooth L1, bfloat16."""
    model = PredictorModel(backbone=backbone, signals=False, pool=PROMOTER)
    return assemble(model, Regression(distance="smooth_l1"), data, seed, scale, precision="bf16", **settings)


def _selected(data: DataConfig, scale: Scale) -> int:
    """Return the central base pairs that are always selected; a quarter of the window at the small scale."""
    return PROMOTER if scale == "paper" else max(1, (data.window or PROMOTER) // 4)
