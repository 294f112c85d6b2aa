"""What is said of the patterns, and what a step does."""

from __future__ import annotations

import pytest
import torch

from epigx.objectives.backdoor import pattern_statistics


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


@pytest.mark.parametrize("change", ["objective.alpha=0", "objective.beta=0"])
def test_the_log_has_unweighted_terms(tiny_config, tmp_path, change):
    from epigx.training.train import train

    log = train(tiny_config("training.steps=4", change), tmp_path / "run").log
    assert (log[["train_prediction", "train_intervention"]] > 0).all(axis=None)
    assert (log["train_diversity"] != 0).all()
