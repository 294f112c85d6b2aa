"""Laws of the objectives that act on background signals, for any genes and weights."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from epigx.backbones import Caduceus
from epigx.batch import Batch, Prediction
from epigx.models import Predictor, PredictorModel
from epigx.objectives import InputBackdoor, Objective, Regression, RiskExtrapolation, SignalDropout
from epigx.objectives.backdoor import diversity, diversity_floor
from epigx.objectives.gene_specific_backdoor import sameness

MODEL = PredictorModel(backbone=Caduceus(d_model=8, n_layers=1, d_state=4), pool=30)
BACKGROUND = (0, 2)

laws = settings(deadline=None, max_examples=20)
seeds = st.integers(0, 2**31)
genes = st.integers(1, 5)
distances = st.sampled_from(["l1", "smooth_l1", "mse"])


def draw(seed: int, n_genes: int) -> tuple[Predictor, Batch]:
    torch.manual_seed(seed)
    network = MODEL.build(3, 2, 64)
    batch = Batch(
        sequence=torch.nn.functional.one_hot(torch.randint(0, 4, (n_genes, 64)), 4).float(),
        signals=3 * torch.rand(n_genes, 64, 3),
        features=torch.randn(n_genes, 2),
        expression=2 * torch.rand(n_genes),
    )
    return network, batch


def close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


class Listening(nn.Module):
    """Keeps the batches that a model was asked for."""

    def __init__(self, model: Predictor) -> None:
        super().__init__()
        self.model, self.heard = model, list[Batch]()

    def forward(self, batch: Batch) -> Prediction:
        self.heard.append(batch)
        prediction: Prediction = self.model(batch)
        return prediction


@laws
@given(seeds, genes, distances)
def test_without_intervention_they_are_plain_regression(seed: int, n_genes: int, distance: str) -> None:
    network, batch = draw(seed, n_genes)
    plain = Regression.parse({"distance": distance}).build(MODEL, 3)
    plain(copy.deepcopy(network), batch)
    twin = copy.deepcopy(network)
    expected = plain(twin, batch)[1].total
    expected.backward()
    for objective in (
        SignalDropout.parse({"rate": 0, "distance": distance}),
        InputBackdoor.parse({"alpha": 0, "distance": distance}),
        RiskExtrapolation.parse({"weight": 0, "environments": 100, "distance": distance}),  # a gene a bin
    ):
        network.zero_grad()
        _, loss = objective.build(MODEL, 3, BACKGROUND).train()(network, batch)
        close(loss.total, expected)
        loss.total.backward()
        for parameter, same in zip(network.parameters(), twin.parameters(), strict=True):
            close(parameter.grad, same.grad)


@laws
@given(seeds, genes, st.integers(1, 3))
def test_a_dictionary_of_kept_backgrounds_predicts_what_the_model_does(seed: int, n_genes: int, n: int) -> None:
    network, batch = draw(seed, n_genes)
    objective = InputBackdoor(states=("kept",) * n).build(MODEL, 3, BACKGROUND)
    prediction, loss = objective(network, batch)
    close(prediction.interventional, prediction.expression)
    close(loss.terms["intervention"], loss.terms["prediction"])


@pytest.mark.parametrize(
    "objective",
    [
        SignalDropout(rate=0.7),
        SignalDropout(rate=0.7, intact=1),
        SignalDropout(rate=0.7, replacement="exchanged"),
        InputBackdoor(states=("absent", "exchanged", "kept")),
    ],
    ids=["dropout", "dropout beside intact", "exchange", "adjustment"],
)
@laws
@given(seed=seeds, n_genes=genes)
def test_the_foreground_is_never_touched(objective: Objective, seed: int, n_genes: int) -> None:
    network, batch = draw(seed, n_genes)
    before = batch.signals.clone()
    listening = Listening(network)
    objective.build(MODEL, 3, BACKGROUND).train()(listening, batch)
    assert torch.equal(batch.signals, before)
    for asked in listening.heard:
        assert torch.equal(asked.signals[..., 1], before[..., 1])
        assert asked.sequence is batch.sequence
        assert asked.features is batch.features


@laws
@given(seeds, genes, st.sampled_from(["absent", "exchanged"]))
def test_dropout_is_of_training_alone(seed: int, n_genes: int, replacement: str) -> None:
    network, batch = draw(seed, n_genes)
    objective = SignalDropout.parse({"rate": 1, "replacement": replacement}).build(MODEL, 3, BACKGROUND)
    close(objective.eval()(network, batch)[0].expression, network(batch).expression)
    torch.manual_seed(seed)
    dropped = objective.dropped(batch).signals
    if replacement == "absent":
        assert not dropped[..., BACKGROUND].any()
    else:
        close(dropped[..., BACKGROUND].sum(0), batch.signals[..., BACKGROUND].sum(0))


@laws
@given(seeds, genes, st.floats(0.1, 4), distances)
def test_intact_genes_add_their_own_loss_to_dropout(seed: int, n_genes: int, weight: float, distance: str) -> None:
    network, batch = draw(seed, n_genes)
    objective = SignalDropout.parse({"rate": 1, "intact": weight, "distance": distance})
    prediction, loss = objective.build(MODEL, 3, BACKGROUND).train()(network, batch)
    dropped = objective.override("intact=0").build(MODEL, 3, BACKGROUND).train()(network, batch)[1].total
    intact = Regression.parse({"distance": distance}).build(MODEL, 3)(network, batch)[1].total
    close(prediction.expression, network(batch).expression)
    close(loss.total, weight * intact + dropped)
    close(loss.terms["prediction"], intact)


@laws
@given(seeds, genes, st.floats(0.01, 0.5), st.floats(0.1, 1))
def test_sameness_falls_as_patterns_spread(seed: int, n_genes: int, spread: float, factor: float) -> None:
    torch.manual_seed(seed)
    patterns = torch.rand(n_genes, 2, 6)
    closer = patterns.mean(0) + factor * (patterns - patterns.mean(0))
    assert 0 <= sameness(patterns, spread) <= sameness(closer, spread) + 1e-6 <= spread + 2e-6


@laws
@given(seeds, genes, st.integers(2, 4), st.booleans(), st.booleans(), st.floats(0.1, 5))
def test_no_pattern_is_below_the_floor(
    seed: int, n_genes: int, n: int, diagonal: bool, normalize: bool, temperature: float
) -> None:
    torch.manual_seed(seed)
    patterns = torch.rand(n_genes, n, 6)
    options = {"diagonal": diagonal, "normalize": normalize}
    floor = diversity_floor(n, temperature, **options)
    assert diversity(patterns, temperature, **options).item() >= floor - 1e-5
    lowest = torch.eye(n, 6).expand(n_genes, n, 6) if normalize else torch.zeros(n_genes, n, 6)
    assert diversity(lowest, temperature, **options).item() == pytest.approx(floor, abs=1e-5)


@laws
@given(seeds, st.integers(2, 5))
def test_risks_that_are_equal_have_no_variance(seed: int, n_genes: int) -> None:
    network, batch = draw(seed, n_genes)
    with torch.no_grad():
        predicted = network(batch).expression
    objective = RiskExtrapolation(environments=2).build(MODEL, 3, BACKGROUND)
    _, loss = objective(network, replace(batch, expression=predicted + 0.5))
    close(loss.terms["risk_variance"], torch.zeros(()))
    close(loss.total, torch.tensor(0.5))
