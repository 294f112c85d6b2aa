from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.models import PredictorModel
from epigx.objectives import Backdoor, GeneSpecificBackdoor
from epigx.objectives.backdoor import diversity_floor
from epigx.objectives.gene_specific_backdoor import sameness

MODEL = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1, d_state=4), pool=30)


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(
        sequence=torch.nn.functional.one_hot(torch.randint(0, 4, (6, 80)), 4).float(),
        signals=torch.rand(6, 80, 3),
        features=torch.randn(6, 2),
        expression=torch.rand(6),
    )


def test_total_is_the_weighted_sum(batch: Batch) -> None:
    objective = GeneSpecificBackdoor(alpha=0.5, beta=0.25, gamma=3).build(MODEL, 3, (1, 2))
    prediction, loss = objective(MODEL.build(3, 2, 80), batch)
    terms = {name: term.item() for name, term in loss.terms.items()}
    assert loss.total.item() == pytest.approx(
        terms["prediction"] + 0.5 * terms["intervention"] + 0.25 * terms["diversity"] + 3 * terms["sameness"]
    )
    assert terms["sameness"] == pytest.approx(sameness(prediction.patterns, 0.2).item())


def test_patterns_come_from_background_signals_alone(batch: Batch) -> None:
    objective = GeneSpecificBackdoor().build(MODEL, 3, (1, 2)).eval()
    foreground, background = batch.signals.clone(), batch.signals.clone()
    foreground[..., 0] += 1
    background[..., 2] += 1
    patterns = objective.patterns(batch)
    assert torch.equal(objective.patterns(replace(batch, signals=foreground)), patterns)
    assert not torch.equal(objective.patterns(replace(batch, signals=background)), patterns)


def test_training_makes_patterns_differ_between_genes_where_the_papers_do_not(batch: Batch) -> None:
    spread = {}
    for config in (GeneSpecificBackdoor(alpha=0), Backdoor(alpha=0)):
        torch.manual_seed(0)
        network, objective = MODEL.build(3, 2, 80), config.build(MODEL, 3, (1, 2))
        optimizer = torch.optim.Adam(objective.parameters(), lr=0.02)
        for _ in range(60):
            optimizer.zero_grad()
            objective(network, batch)[1].total.backward()
            optimizer.step()
        spread[config.kind] = objective.patterns(batch).std(0).mean().item()
    assert spread["gene_specific_backdoor"] > 0.15
    assert spread["backdoor"] < 0.1


def test_masks_that_all_genes_share_are_no_way_to_the_floor() -> None:
    shared = torch.eye(2).expand(5, 2, 2)
    paper, own = Backdoor().build(MODEL, 3), GeneSpecificBackdoor().build(MODEL, 3, (1,))
    assert paper.diversity(shared).item() == pytest.approx(paper.floor, abs=1e-5)
    assert own.diversity(shared).item() > own.floor + 1
    apart = torch.tensor([[[1.0], [0.0]], [[0.0], [1.0]]])  # the two patterns swap places from gene to gene
    assert own.diversity(apart).item() == pytest.approx(own.floor, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"n_patterns": 3}, math.log(6 * math.exp(-4))),
        ({"n_patterns": 2, "diagonal": True, "normalize": False}, math.log(4 * math.exp(-4))),
        ({"n_patterns": 1}, 0.0),
        ({"n_patterns": 2, "cosine": -1.0}, math.log(2) - 8),
    ],
)
def test_floors_by_hand(options: dict[str, float], expected: float) -> None:
    assert diversity_floor(**options) == pytest.approx(expected)
