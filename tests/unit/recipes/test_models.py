from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import yaml

from epigx import recipes
from epigx.batch import Batch
from epigx.objectives import Backdoor, Regression
from epigx.runs.config import RunConfig

RECIPES = [recipes.infer, recipes.prism, recipes.caduceus_signals]
ON_DNA = [recipes.caduceus, recipes.mamba, recipes.hyenadna, recipes.enformer]

TABLE_9 = {
    "Layers of Generator": ("model.backbone.n_layers", 4),
    "Hidden dimensions": ("model.backbone.d_model", 128),
    "Max training steps": ("training.steps", 50_000),
    "Batch size": ("training.batch_size", 8),
    "Learning rate": ("training.lr", 5e-4),
    "Initial warmup learning rate": ("training.warmup_lr", 1e-5),
    "Min learning rate": ("training.lr_min", 1e-4),
    "Warmup steps": ("training.warmup_steps", 5_000),
}


def value(config: RunConfig, path: str) -> object:
    found: object = config.method
    for name in path.split("."):
        found = getattr(found, name)
    return found


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("row", TABLE_9)
def test_table_9(recipe: Callable[..., RunConfig], row: str) -> None:
    path, expected = TABLE_9[row]
    assert value(recipe(data="data/k562", cell_type="K562"), path) == expected


def test_infer_is_the_paper() -> None:
    config = recipes.infer(data="data/k562", cell_type="K562", seed=22)
    assert config.method.objective == Backdoor(
        alpha=1.0,
        beta=1.0,
        n_patterns=2,
        distance="l1",
        average="predictions",
        diagonal=False,
        activation="sigmoid",
    )
    assert config.data.window == 2_000
    assert config.data.cell_types == ("K562",)
    assert config.method.training.seed == 22
    assert recipes.SEEDS == (2, 22, 222, 2222, 22222)


def test_prism_is_the_official_code() -> None:
    config = recipes.prism(data="data/k562", cell_type="K562")
    objective = config.method.objective
    assert isinstance(objective, Backdoor)
    assert (objective.distance, objective.average, objective.diagonal) == ("smooth_l1", "hidden", True)
    assert (objective.normalize, objective.temperature, objective.n_patterns) == (True, 2.0, 2)
    assert config.method.model.pool == 2_000
    assert config.method.training.precision == "bf16"


def test_the_plain_counterpart_differs_in_the_objective_alone() -> None:
    plain = recipes.caduceus_signals(data="data/k562", cell_type="K562")
    infer = recipes.infer(data="data/k562", cell_type="K562")
    assert plain.method.objective == Regression(distance="l1")
    assert plain.method.model_copy(update={"objective": infer.method.objective}) == infer.method


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_can_be_saved_changed_and_read_back(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data/both", cell_type=["K562", "GM12878"], window=None)
    assert RunConfig.parse(yaml.safe_load(config.dump())) == config
    changed = config.override("training.seed=7", "model.backbone.n_layers=1")
    assert (changed.method.training.seed, changed.data) == (7, config.data)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_can_be_built_and_stepped(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data/k562", cell_type="K562", window=64).override("model.backbone.n_layers=1")
    network, objective = config.method.model.build(3, 9, 64), config.method.objective.build(config.method.model, 3)
    batch = Batch(torch.zeros(2, 64, 4), torch.rand(2, 64, 3), torch.rand(2, 9), torch.rand(2))
    objective(network, batch)[1].total.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("recipe", "n_parameters"),
    [
        (recipes.infer, 574_721),  # and 10,960 of the confounder encoder, which the objective owns
        (recipes.caduceus, 574_209),
        (recipes.mamba, 502_401),
        (recipes.hyenadna, 903_681),
        (recipes.enformer, 251_632_429 - 21_375_788),  # without the two heads that nothing uses
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_published_sizes(recipe: Callable[..., RunConfig], n_parameters: int) -> None:
    with torch.device("meta"):
        network = recipe(data="data/k562", cell_type="K562").method.model.build(3, 9, 200_000)
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters


@pytest.mark.parametrize("recipe", ON_DNA, ids=lambda recipe: recipe.__name__)
def test_systems_on_dna_alone_are_those_of_seq2exp(recipe: Callable[..., RunConfig]) -> None:
    config = recipe(data="data/k562", cell_type="K562", seed=22)
    assert config.data.window == 200_000
    assert config.method.model.n_encoded == 0
    assert config.method.objective == Regression(distance="smooth_l1")
    assert (config.method.training.precision, config.method.training.seed) == ("bf16", 22)
    assert RunConfig.parse(yaml.safe_load(config.dump())) == config


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        (recipes.caduceus, {"batch_size": 16, "lr": 5e-4, "steps": 50_000}),
        (recipes.mamba, {"batch_size": 16, "lr": 5e-4, "steps": 50_000}),
        (recipes.hyenadna, {"batch_size": 8, "lr": 5e-4, "steps": 50_000}),
        (
            recipes.enformer,
            {"batch_size": 4, "lr": 7e-6, "lr_min": 7e-6, "warmup_lr": 0, "warmup_steps": 50_000, "steps": 200_000},
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_their_own_training(recipe: Callable[..., RunConfig], settings: dict[str, float]) -> None:
    training = recipe(data="data/k562", cell_type="K562").method.training
    assert {name: getattr(training, name) for name in settings} == settings


def test_hyenadna_reaches_over_the_window() -> None:
    assert recipes.hyenadna(data="d", cell_type="c").method.model.backbone.longest == 200_000
    assert recipes.hyenadna(data="d", cell_type="c", window=4_000).method.model.backbone.longest == 4_000
    assert recipes.hyenadna(data="d", cell_type="c", window=None).method.model.backbone.longest == 200_000
