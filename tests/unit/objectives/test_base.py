"""What all objectives share: kinds, and what they report about genes."""

from __future__ import annotations

import pytest
import torch

from epigx.batch import Batch
from epigx.models import PredictorModel
from epigx.objectives import (
    Backdoor,
    GeneSpecificBackdoor,
    InputBackdoor,
    Objective,
    Regression,
    Residualize,
    RiskExtrapolation,
    SignalDropout,
)
from epigx.objectives.backdoor import pattern_statistics
from epigx.runs.config import DataConfig, RunConfig
from epigx.training.network import Network

OLD_KINDS = [
    ("gene_patterns", GeneSpecificBackdoor()),
    ("regressed_out", Residualize()),
    ("signal_adjustment", InputBackdoor()),
]


@pytest.mark.parametrize(("old", "objective"), OLD_KINDS, ids=lambda value: getattr(value, "kind", value))
def test_configurations_with_an_old_kind_still_load(old: str, objective: Objective) -> None:
    values = {**objective.model_dump(mode="json"), "kind": old}
    assert Objective.parse(values) == objective
    assert type(objective).parse(values) == objective
    assert Objective.parse(values).dump() == objective.dump()
    assert old not in Objective.members()


@pytest.mark.parametrize(("old", "objective"), OLD_KINDS, ids=lambda value: getattr(value, "kind", value))
def test_an_old_kind_can_be_chosen_on_the_command_line(old: str, objective: Objective) -> None:
    data = DataConfig(path="data", cell_types=("K562",))
    config = RunConfig(data=data, method=Network(model=PredictorModel(), objective=Regression(distance="mse")))
    assert config.override(f"objective.kind={old}").method.objective == objective
    changed = config.override(f"objective.kind={objective.kind}", "objective.distance=mse")
    assert changed.override(f"objective.kind={old}") == changed


@pytest.mark.parametrize(
    "objective", [Regression(), Residualize(), InputBackdoor(), RiskExtrapolation(), SignalDropout()]
)
def test_most_objectives_report_nothing_about_genes(objective: Objective) -> None:
    module = objective.build(PredictorModel(), 3, (1,))
    assert module.diagnostics(batch()) == {}
    assert module.summarize({}) == {}


@pytest.mark.parametrize("objective", [Backdoor(n_patterns=3), GeneSpecificBackdoor(n_patterns=3)])
def test_backdoor_objectives_report_patterns(objective: Objective) -> None:
    module = objective.build(PredictorModel(), 3, (1,)).eval()
    genes = batch()
    found = module.diagnostics(genes)
    assert list(found) == ["patterns"]
    assert found["patterns"].shape == (5, 3, 128)
    assert torch.equal(found["patterns"], module.patterns(genes))
    columns = module.summarize(found)
    assert list(columns) == ["pattern_cosine", "pattern_sd_1", "pattern_sd_2", "pattern_sd_3", "diversity_floor"]
    assert columns == pattern_statistics(found["patterns"]) | {"diversity_floor": module.floor}


def test_patterns_that_are_alike_for_every_gene() -> None:
    found = pattern_statistics(torch.ones(5, 2, 4))
    assert found == {"pattern_cosine": pytest.approx(1), "pattern_sd_1": 0, "pattern_sd_2": 0}


def test_orthogonal_patterns_have_no_cosine() -> None:
    assert pattern_statistics(torch.eye(2).expand(7, 2, 2))["pattern_cosine"] == 0


def test_the_cosine_is_over_pairs_of_different_patterns() -> None:
    patterns = torch.tensor([[[1.0, 0], [0, 1.0], [2.0, 0]]])  # pairs: 0, 1, 0
    assert pattern_statistics(patterns)["pattern_cosine"] == pytest.approx(1 / 3)


def test_the_spread_is_over_genes_not_over_weights() -> None:
    weights = torch.linspace(0, 1, 8)
    patterns = torch.stack([torch.stack([weights, weights + shift]) for shift in (0.0, 2.0)])
    found = pattern_statistics(patterns)
    assert found["pattern_sd_1"] == 0
    assert found["pattern_sd_2"] == pytest.approx(1)


def test_one_pattern_has_no_cosine_and_one_gene_no_spread() -> None:
    assert pattern_statistics(torch.rand(1, 1, 4)) == {"pattern_sd_1": 0}


def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(torch.rand(5, 64, 4), torch.rand(5, 64, 3), torch.zeros(5, 0), torch.rand(5))
