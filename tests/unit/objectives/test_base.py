"""Statistics of patterns, and what an objective adds to the training log."""

from __future__ import annotations

import pytest
import torch

from epigx.batch import Batch
from epigx.models import PredictorModel
from epigx.objectives import Backdoor, GenePatterns, Objective, Regression
from epigx.objectives.base import pattern_statistics


def test_patterns_that_are_alike_for_every_gene():
    found = pattern_statistics(torch.ones(5, 2, 4))
    assert found == {"pattern_cosine": pytest.approx(1), "pattern_sd_1": 0, "pattern_sd_2": 0}


def test_orthogonal_patterns_have_no_cosine():
    assert pattern_statistics(torch.eye(2).expand(7, 2, 2))["pattern_cosine"] == 0


def test_the_cosine_is_over_pairs_of_different_patterns():
    patterns = torch.tensor([[[1.0, 0], [0, 1.0], [2.0, 0]]])  # pairs: 0, 1, 0
    assert pattern_statistics(patterns)["pattern_cosine"] == pytest.approx(1 / 3)


def test_the_spread_is_over_genes_not_over_weights():
    weights = torch.linspace(0, 1, 8)
    patterns = torch.stack([torch.stack([weights, weights + shift]) for shift in (0.0, 2.0)])
    found = pattern_statistics(patterns)
    assert found["pattern_sd_1"] == 0
    assert found["pattern_sd_2"] == pytest.approx(1)


def test_one_pattern_has_no_cosine_and_one_gene_no_spread():
    assert pattern_statistics(torch.rand(1, 1, 4)) == {"pattern_sd_1": 0}


@pytest.mark.parametrize("objective", [Backdoor(), GenePatterns()])
def test_backdoor_objectives_log_their_patterns_and_the_lowest_diversity(objective: Objective):
    module = objective.build(PredictorModel(), 3, (1, 2)).eval()
    batch = Batch(torch.rand(5, 2000, 4), torch.rand(5, 2000, 3), torch.rand(5, 2))
    found = module.diagnostics(batch)
    assert [(name, len(values)) for name, values in found.items()] == [("patterns", 5)]
    summary = module.summarize(found)
    assert list(summary) == ["pattern_cosine", "pattern_sd_1", "pattern_sd_2", "diversity_floor"]
    assert summary["diversity_floor"] == module.floor
    assert summary["pattern_cosine"] == pattern_statistics(found["patterns"])["pattern_cosine"]


def test_other_objectives_log_nothing():
    module = Regression().build(PredictorModel(), 3)
    batch = Batch(torch.rand(5, 20, 4), torch.rand(5, 20, 3), torch.rand(5, 2))
    assert (module.diagnostics(batch), module.summarize({})) == ({}, {})
