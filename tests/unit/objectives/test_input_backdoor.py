from __future__ import annotations

import pytest
import torch
from torch import nn

from epigx.batch import Batch, Prediction
from epigx.models import PredictorModel
from epigx.objectives import InputBackdoor

FOREGROUND, BACKGROUND = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([10.0, 20.0, 60.0])


class Sum(nn.Module):
    """Predicts the sum of the signals' means."""

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(expression=batch.signals.mean(1).sum(-1))


@pytest.fixture
def genes() -> Batch:
    signals = torch.stack([FOREGROUND, BACKGROUND], dim=-1)[:, None].expand(-1, 6, -1)
    return Batch(torch.zeros(3, 6, 4), signals, torch.zeros(3, 0), torch.zeros(3))


def test_the_total_is_the_weighted_sum_of_both_errors(genes: Batch) -> None:
    objective = InputBackdoor(alpha=0.25, states=("absent",)).build(PredictorModel(), 2, (1,))
    prediction, loss = objective(Sum(), genes)
    torch.testing.assert_close(prediction.expression, FOREGROUND + BACKGROUND)
    torch.testing.assert_close(prediction.interventional, FOREGROUND)
    assert (loss.terms["prediction"].item(), loss.terms["intervention"].item()) == (32.0, 2.0)
    assert loss.total.item() == 32.0 + 0.25 * 2.0


def test_the_states_count_alike(genes: Batch) -> None:
    objective = InputBackdoor(states=("absent", "exchanged", "kept")).build(PredictorModel(), 2, (1,))
    torch.manual_seed(1)
    prediction, _ = objective(Sum(), genes)
    others = 3 * prediction.interventional - 3 * FOREGROUND - BACKGROUND
    torch.testing.assert_close(others.sort().values, BACKGROUND)
    assert not torch.allclose(others, BACKGROUND), "of another gene"
