from __future__ import annotations

import math

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import PredictorModel
from epigx.objectives import Backdoor
from epigx.objectives.backdoor import diversity

MODEL = PredictorModel(backbone=Caduceus(d_model=16, n_layers=1), pool=50)


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    return Batch(
        sequence=torch.nn.functional.one_hot(torch.randint(0, 4, (3, 80)), 4).float(),
        signals=torch.rand(3, 80, 3),
        features=torch.randn(3, 2),
        expression=torch.rand(3),
    )


def test_total_is_the_weighted_sum(batch: Batch) -> None:
    objective = Backdoor(alpha=0.5, beta=0.25).build(MODEL, 3).eval()
    prediction, loss = objective(MODEL.build(3, 2, 80), batch)
    terms = loss.terms
    assert loss.total.item() == pytest.approx(
        (terms["prediction"] + 0.5 * terms["intervention"] + 0.25 * terms["diversity"]).item()
    )
    assert terms["prediction"].item() == pytest.approx((prediction.expression - batch.expression).abs().mean().item())
    assert terms["intervention"].item() == pytest.approx(
        (prediction.interventional - batch.expression).abs().mean().item()
    )
    assert not any(term.requires_grad for term in terms.values())


def test_the_average_of_predictions_is_eq_3(batch: Batch) -> None:
    network, objective = MODEL.build(3, 2, 80).eval(), Backdoor(n_patterns=3).build(MODEL, 3).eval()
    prediction = objective.intervene(network, batch)
    patterns = objective.confounder_encoder(batch.signals)
    sequence, signals = network.encode_sequence(batch), network.encode_signals(batch)
    arms = [
        network.head(network.pool(network.hidden(sequence + signals * patterns[:, None, i])), batch.features)
        for i in range(3)
    ]
    torch.testing.assert_close(prediction.interventional, torch.stack(arms).mean(0))
    torch.testing.assert_close(prediction.expression, network(batch).expression)
    torch.testing.assert_close(prediction.patterns, patterns)


def test_the_average_of_hidden_states_is_another_number(batch: Batch) -> None:
    network, objective = MODEL.build(3, 2, 80).eval(), Backdoor(average="hidden").build(MODEL, 3).eval()
    other = Backdoor(average="predictions").build(MODEL, 3).eval()
    other.load_state_dict(objective.state_dict())
    prediction = objective.intervene(network, batch)
    patterns = prediction.patterns
    sequence, signals = network.encode_sequence(batch), network.encode_signals(batch)
    hidden = torch.stack([network.hidden(sequence + signals * patterns[:, None, i]) for i in range(2)]).mean(0)
    torch.testing.assert_close(prediction.interventional, network.head(network.pool(hidden), batch.features))
    assert not torch.equal(prediction.interventional, other.intervene(network, batch).interventional)


def test_one_pass_through_the_backbone_and_one_through_each_encoder(batch: Batch) -> None:
    network, objective = MODEL.build(3, 2, 80), Backdoor(n_patterns=4).build(MODEL, 3)
    calls: list[tuple[str, int]] = []
    for name in ("sequence_encoder", "signal_encoder", "backbone"):
        network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: calls.append((name, output.shape[0]))
        )
    objective(network, batch)
    assert calls == [("sequence_encoder", 3), ("signal_encoder", 3), ("backbone", 15)]


def test_all_parameters_get_a_gradient(batch: Batch) -> None:
    network, objective = MODEL.build(3, 2, 80), Backdoor().build(MODEL, 3)
    objective(network, batch)[1].total.backward()
    for parameter in [*network.parameters(), *objective.parameters()]:
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


def test_the_confounder_encoder_belongs_to_the_objective() -> None:
    objective = Backdoor().build(PredictorModel(), 3)
    assert sum(parameter.numel() for parameter in objective.parameters()) == 10_960
    assert 574_721 + 10_960 == 585_681  # Table 8: "585K"


@pytest.mark.parametrize(("model", "n_signals"), [(PredictorModel(signals=False), 3), (PredictorModel(), 0)])
def test_there_has_to_be_something_to_intervene_on(model: PredictorModel, n_signals: int) -> None:
    with pytest.raises(ConfigError, match=r"intervenes on encoded signals.*objective 'regression'"):
        Backdoor().build(model, n_signals)


ANGLE = math.radians(60)
PAIR = torch.tensor([[[1.0, 0.0], [math.cos(ANGLE), math.sin(ANGLE)]]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, math.log(2 * math.exp(4 * 0.5 - 4))),
        ({"diagonal": True}, math.log(2 + 2 * math.exp(4 * 0.5 - 4))),
        ({"temperature": 0.5}, math.log(2 * math.exp(0.5 - 1))),
    ],
)
def test_diversity_by_hand(options: dict[str, float], expected: float) -> None:
    assert diversity(PAIR, **options).item() == pytest.approx(expected)


def test_diversity_with_and_without_unit_length() -> None:
    long = 3 * PAIR
    assert diversity(long).item() == pytest.approx(diversity(PAIR).item())
    assert diversity(long, normalize=False).item() == pytest.approx(math.log(2 * math.exp(4 * 4.5 - 4)), rel=1e-6)


def test_diversity_of_raw_patterns_does_not_overflow() -> None:
    assert diversity(torch.ones(1, 2, 128), normalize=False).item() == pytest.approx(math.log(2) + 4 * 128 - 4)


def test_diversity_takes_the_logarithm_per_gene() -> None:
    genes = torch.cat([PAIR, torch.eye(2)[None]])
    assert diversity(genes).item() == pytest.approx((math.log(2) - 2 + math.log(2) - 4) / 2)


def test_one_pattern_has_no_diversity() -> None:
    one = torch.rand(3, 1, 8)
    assert diversity(one).item() == 0
    assert diversity(one, diagonal=True).item() == pytest.approx(0, abs=1e-5)


def test_diversity_is_float32_under_autocast() -> None:
    torch.manual_seed(0)
    patterns = torch.rand(4, 3, 128)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = diversity(patterns)
    torch.testing.assert_close(mixed, diversity(patterns), rtol=0, atol=0)


def test_a_step_in_bfloat16(batch: Batch) -> None:
    network, objective = MODEL.build(3, 2, 80), Backdoor().build(MODEL, 3).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prediction, loss = objective(network, batch)
    _, exact = objective(network, batch)
    assert {prediction.expression.dtype, prediction.patterns.dtype, loss.total.dtype} == {torch.float32}
    torch.testing.assert_close(loss.total, exact.total, rtol=0.02, atol=0.02)
    loss.total.backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
