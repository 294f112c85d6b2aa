from __future__ import annotations

import pytest
import torch
from torch import nn

from epigx.batch import Batch, Prediction
from epigx.models import PredictorModel
from epigx.objectives import RiskExtrapolation


class Zero(nn.Module):
    def forward(self, batch: Batch) -> Prediction:
        return Prediction(expression=torch.zeros(len(batch)))


def genes(openness: list[float]) -> Batch:
    """Genes whose label is how open they are; the foreground goes the other way."""
    label = torch.tensor(openness)
    signals = torch.stack([10 - label, label], dim=-1)[:, None].expand(-1, 6, -1)
    return Batch(torch.zeros(len(label), 6, 4), signals, torch.zeros(len(label), 0), label)


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_environments_are_bins_of_accessibility_and_their_risks_are_compared(weight: float) -> None:
    objective = RiskExtrapolation(weight=weight, environments=2).build(PredictorModel(), 2, (1,))
    _, loss = objective(Zero(), genes([7.0, 0.0, 2.0, 5.0, 1.0, 6.0, 4.0, 3.0]))
    closed, opened = 1.5, 5.5
    assert loss.terms["risk_variance"].item() == pytest.approx(((opened - closed) / 2) ** 2)
    assert loss.terms["prediction"].item() == pytest.approx(3.5)
    assert loss.total.item() == pytest.approx((closed + opened) / 2 + weight * 4)


def test_environments_count_alike_whatever_their_size() -> None:
    objective = RiskExtrapolation(weight=0, environments=2).build(PredictorModel(), 2, (1,))
    _, loss = objective(Zero(), genes([9.0, 0.0, 3.0]))  # two genes and one
    assert loss.total.item() == pytest.approx((1.5 + 9) / 2)
    assert loss.terms["prediction"].item() == pytest.approx(4)


def test_a_batch_of_one_gene_has_one_environment() -> None:
    objective = RiskExtrapolation(environments=4).build(PredictorModel(), 2, (1,))
    _, loss = objective(Zero(), genes([3.0]))
    assert (loss.total.item(), loss.terms["risk_variance"].item()) == (3.0, 0.0)
