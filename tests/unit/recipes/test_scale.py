from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from epigx import recipes
from epigx.batch import Batch
from epigx.recipes import SIZES, models
from epigx.runs.config import RunConfig

NAMES = models.__all__
RECIPES = [getattr(recipes, name) for name in NAMES]
OF_A_PLAIN_BATCH = [
    recipes.infer, recipes.prism, recipes.caduceus_signals,
    recipes.caduceus, recipes.mamba, recipes.hyenadna, recipes.enformer,
]  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_all_small_systems_are_trained_alike(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data", cell_type="A", seed=7, scale="small")
    assert config.method.training == SIZES["small"].training.model_copy(update={"seed": 7})
    assert config.data.window == 256


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_a_window_that_is_asked_for_is_read_at_either_scale(recipe: Callable[..., RunConfig]) -> None:
    for scale in SIZES:
        assert recipe(data="data", cell_type="A", window=640, scale=scale).data.window == 640
        assert recipe(data="data", cell_type="A", window=None, scale=scale).data.window is None


@pytest.mark.parametrize("recipe", OF_A_PLAIN_BATCH, ids=lambda recipe: recipe.__name__)
def test_a_small_system_takes_a_step(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data", cell_type="A", window=128, scale="small")
    network, objective = config.method.model.build(3, 9, 128), config.method.objective.build(config.method.model, 3)
    assert sum(parameter.numel() for parameter in network.parameters()) < 150_000
    batch = Batch(torch.zeros(2, 128, 4), torch.rand(2, 128, 3), torch.rand(2, 9), torch.rand(2))
    loss = objective(network, batch)[1].total
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad is not None for parameter in network.parameters())
