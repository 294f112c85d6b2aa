from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
import torch
import yaml

from epigx import recipes
from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.models import PredictorModel, Seq2ExpHard, Seq2ExpSoft
from epigx.objectives import Bottleneck, Regression
from epigx.runs.config import RunConfig

SELECTING = [recipes.seq2exp_soft, recipes.seq2exp_hard]
RECIPES = [*SELECTING, recipes.macs3_mask]


@pytest.mark.parametrize("recipe", RECIPES)
def test_they_are_trained_as_the_official_script_trains(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data/k562", cell_type="K562", seed=22)
    training = config.method.training
    assert (training.batch_size, training.steps, training.lr, training.precision) == (8, 50_000, 5e-4, "bf16")
    assert (training.seed, config.data.window, config.data.cell_types) == (22, 200_000, ("K562",))
    assert RunConfig.parse(yaml.safe_load(config.dump())) == config


def test_the_models_are_the_official_ones() -> None:
    soft, hard, peaks = (recipe(data="d", cell_type="c") for recipe in RECIPES)
    assert (soft.method.model, soft.method.objective) == (Seq2ExpSoft(), Bottleneck(weight=0.01, mean=0.1, scale=10.0))
    assert (hard.method.model, hard.method.objective) == (Seq2ExpHard(), Bottleneck(weight=0.01, mean=0.45, scale=0.1))
    assert peaks.method.model == PredictorModel(backbone=Caduceus(), mask="peaks", pool=2_000)
    assert peaks.method.objective == Regression(distance="smooth_l1")


@pytest.mark.parametrize("recipe", SELECTING)
@pytest.mark.parametrize(("window", "centre"), [("recipe", 64), (400, 100), (2, 1), (None, 500)])
def test_the_small_scale_selects_around_a_quarter_of_the_window(
    recipe: Callable[..., RunConfig], window: int | Literal["recipe"] | None, centre: int
) -> None:
    config = recipe(data="d", cell_type="c", window=window, scale="small")
    assert config.method.model.pool == centre
    assert config.method.model.backbone.d_model == 32


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_small_one_takes_a_step(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="d", cell_type="c", window=128, scale="small")
    network, objective = config.method.model.build(3, 9, 128), config.method.objective.build(config.method.model, 3)
    peaks = torch.rand(2, 128) < 0.5
    inputs = (torch.zeros(2, 128, 4), torch.rand(2, 128, 3), torch.rand(2, 9), torch.rand(2))
    prediction, loss = objective(network, Batch(*inputs, peaks=peaks, blacklist=peaks))
    loss.total.backward()
    assert loss.total.isfinite()
    assert prediction.mask.shape == (2, 128)
    assert all((parameter.grad is not None) == parameter.requires_grad for parameter in network.parameters())
