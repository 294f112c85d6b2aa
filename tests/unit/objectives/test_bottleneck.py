from __future__ import annotations

import pytest
import torch
from torch.distributions import Beta, kl_divergence
from torch.nn.functional import smooth_l1_loss

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import PredictorModel, Seq2ExpSoft
from epigx.models.seq2exp import Selection
from epigx.objectives import Bottleneck
from epigx.objectives.bottleneck import discontinuity

MODEL = Seq2ExpSoft(backbone=Caduceus(d_model=8, n_layers=1), generator=Caduceus(d_model=8, n_layers=1), pool=8)


def batch_of(genes: int = 2) -> Batch:
    return Batch(torch.rand(genes, 32, 4), torch.rand(genes, 32, 3), torch.rand(genes, 2), torch.rand(genes))


def test_the_total_and_its_parts() -> None:
    network, batch = MODEL.build(3, 2, 32).eval(), batch_of()
    objective = Bottleneck(weight=0.5, mean=0.2, scale=4.0, continuity=2.0).build(MODEL, 3)
    prediction, loss = objective(network, batch)
    posterior = network.select(batch).posterior
    divergence = kl_divergence(posterior, Beta(torch.tensor(4.0), torch.tensor(16.0))).mean()
    torch.testing.assert_close(loss.terms["kl"], divergence.detach())
    torch.testing.assert_close(loss.terms["mask"], prediction.mask.detach().mean())
    torch.testing.assert_close(loss.terms["continuity"], discontinuity(prediction.mask.detach()))
    expected = smooth_l1_loss(prediction.expression, batch.expression) + 0.5 * divergence
    torch.testing.assert_close(loss.total, expected + 2.0 * discontinuity(prediction.mask))


def test_the_official_weights() -> None:
    assert Bottleneck() == Bottleneck(distance="smooth_l1", weight=0.01, mean=0.1, scale=10.0, continuity=0.0)


def test_a_posterior_like_the_prior_costs_nothing() -> None:
    network, batch = MODEL.build(3, 2, 32).eval(), batch_of()
    prior = Beta(torch.full((2, 32), 10.0), torch.full((2, 32), 90.0))
    prediction = network(batch)
    network.select = lambda batch: Selection(prediction, prior)
    _, loss = Bottleneck().build(MODEL, 3)(network, batch)
    assert loss.terms["kl"].abs() < 1e-5


def test_it_needs_a_model_that_makes_a_mask() -> None:
    with pytest.raises(ConfigError, match=r"needs a model that selects.*PredictorModel does not.*'regression'"):
        Bottleneck().build(PredictorModel(), 3)
