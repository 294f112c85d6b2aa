from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from epigx.batch import Batch, Prediction
from epigx.models import PredictorModel
from epigx.objectives import Residualize


class Zero(torch.nn.Module):
    def forward(self, batch: Batch) -> Prediction:
        return Prediction(expression=torch.zeros(len(batch)))


@pytest.fixture
def genes() -> Batch:
    """Expression is 1 + 2 foreground + 3 background; the background goes along with the foreground."""
    torch.manual_seed(0)
    foreground = torch.rand(400)
    background = foreground + torch.rand(400)
    return Batch(
        sequence=torch.zeros(400, 5, 4),
        signals=torch.stack([foreground, background], dim=-1)[:, None].expand(-1, 5, -1).clone(),
        features=torch.zeros(400, 0),
        expression=1 + 2 * foreground + 3 * background,
    )


def test_the_slope_of_the_background_is_the_one_beside_the_foreground(genes: Batch) -> None:
    objective = Residualize().build(PredictorModel(), 2, (1,))
    adjusted = objective.adjusted(genes)
    torch.testing.assert_close(objective.slopes(), torch.tensor([2.0, 3.0], dtype=torch.float64), atol=1e-3, rtol=0)
    foreground, background = genes.signals[:, 0].T
    torch.testing.assert_close(adjusted, 1 + 2 * foreground + 3 * background.mean(), atol=1e-3, rtol=0)


def test_the_regression_is_over_all_batches(genes: Batch) -> None:
    whole, parts = (Residualize().build(PredictorModel(), 2, (1,)) for _ in range(2))
    whole.adjusted(genes)
    for start in range(0, 400, 100):
        assert genes.expression is not None
        chosen = slice(start, start + 100)
        parts.adjusted(
            replace(
                genes,
                sequence=genes.sequence[chosen],
                signals=genes.signals[chosen],
                features=genes.features[chosen],
                expression=genes.expression[chosen],
            )
        )
    torch.testing.assert_close(parts.products, whole.products)


def test_nothing_is_learned_of_genes_in_evaluation(genes: Batch) -> None:
    objective = Residualize(distance="mse").build(PredictorModel(), 2, (1,)).eval()
    _, loss = objective(Zero(), genes)
    assert not objective.products.any()
    assert genes.expression is not None
    assert loss.total.item() == pytest.approx(genes.expression.square().mean().item())
