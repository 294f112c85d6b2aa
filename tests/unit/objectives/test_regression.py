from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from epigx.batch import Batch, Prediction
from epigx.errors import DatasetError
from epigx.models import PredictorModel
from epigx.objectives import Regression

BATCH = Batch(
    sequence=torch.zeros(2, 1, 4),
    signals=torch.zeros(2, 1, 0),
    features=torch.zeros(2, 0),
    expression=torch.tensor([1.0, 2.0]),
)


class Constant(torch.nn.Module):
    def forward(self, batch: Batch) -> Prediction:
        return Prediction(expression=torch.tensor([1.5, 5.0]))


@pytest.mark.parametrize(
    ("distance", "expected"),
    [("l1", (0.5 + 3) / 2), ("smooth_l1", (0.125 + 2.5) / 2), ("mse", (0.25 + 9) / 2)],
)
def test_distances(distance: str, expected: float) -> None:
    objective = Regression.parse({"distance": distance}).build(PredictorModel(), n_signals=0)
    prediction, loss = objective(Constant(), BATCH)
    assert loss.total.item() == pytest.approx(expected)
    assert {name: term.item() for name, term in loss.terms.items()} == {"prediction": pytest.approx(expected)}
    assert prediction.expression.tolist() == [1.5, 5.0]
    assert not list(objective.parameters())


def test_labels_are_needed() -> None:
    objective = Regression().build(PredictorModel(), n_signals=0)
    with pytest.raises(DatasetError, match=r"no expression.*Train on genes that have a measured label"):
        objective(Constant(), replace(BATCH, expression=None))
