from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import Model, Seq2ExpHard, Seq2ExpSoft
from epigx.models.mask_posterior import MaskEvidence
from epigx.models.seq2exp import Seq2Exp, Seq2ExpModel
from epigx.objectives import Bottleneck

SMALL = Caduceus(d_model=16, n_layers=1)
LENGTH, CENTRE = 48, 8


def soft(**settings: Any) -> Seq2ExpSoft:
    return Seq2ExpSoft(backbone=SMALL, generator=SMALL, pool=CENTRE, **settings)


def hard(**settings: Any) -> Seq2ExpHard:
    return Seq2ExpHard(backbone=SMALL, pool=CENTRE, **settings)


def network(model: Seq2ExpModel) -> Seq2Exp:
    torch.manual_seed(0)
    built = model.build(3, 2, LENGTH)
    if built.positions is not None:
        torch.nn.init.normal_(built.positions)
    return built


def batch_of(genes: int = 3, length: int = LENGTH, seed: int = 0) -> Batch:
    torch.manual_seed(seed)
    bases = torch.randint(0, 4, (genes, length))
    blacklist = torch.zeros(genes, length, dtype=torch.bool)
    blacklist[:, 2:6] = True
    return Batch(
        sequence=torch.nn.functional.one_hot(bases, 4).float(),
        signals=2 * torch.rand(genes, length, 3),
        features=torch.randn(genes, 2),
        expression=torch.rand(genes),
        blacklist=blacklist,
    )


@pytest.mark.parametrize(
    ("model", "window", "parameters", "trainable"),
    [
        (Seq2ExpSoft(), 200_000, 1_114_249, 1_114_243),
        (Seq2ExpHard(), 200_000, 26_174_985, 26_174_979),
        (Seq2ExpHard(positions=False), 200_000, 574_985, 574_979),
    ],
)
def test_the_official_sizes(model: Model, window: int, parameters: int, trainable: int) -> None:
    with torch.device("meta"):
        built = model.build(n_signals=3, n_features=9, window=window)
    assert sum(parameter.numel() for parameter in built.parameters()) == parameters
    assert sum(parameter.numel() for parameter in built.parameters() if parameter.requires_grad) == trainable


def test_the_official_settings() -> None:
    gentle, strict = Seq2ExpSoft(), Seq2ExpHard()
    assert gentle.evidence == MaskEvidence(against=(1.5, 0.2, 1.0), weights=(2, 2, 1), scale=10, floor=1)
    assert strict.evidence == MaskEvidence(against=(1.5, 0.2, 1.0), weights=(2, 2, 1), scale=1, floor=0)
    assert (gentle.generator, gentle.generator_signals, gentle.positions) == (Caduceus(n_layers=4), False, False)
    assert (strict.generator, strict.generator_signals, strict.positions) == (None, True, True)
    assert (strict.threshold, strict.gradient, gentle.pool, strict.pool) == (0.5, "kl-only", 2_000, 2_000)
    assert gentle.needs == strict.needs == {"blacklist"}
    assert gentle.n_encoded == strict.n_encoded == 0


@pytest.mark.parametrize("model", [soft(), hard()])
def test_settings_are_saved_and_read_back(model: Seq2ExpModel) -> None:
    assert Model.parse(model.model_dump(mode="json")) == model


def test_the_soft_prediction_is_that_of_the_weighted_embedding() -> None:
    model, batch = network(soft()).eval(), batch_of()
    prediction, posterior = model.select(batch)
    sequence = model.sequence_encoder(batch.sequence)
    expected = model.posterior(model.generator(sequence), batch.signals)
    torch.testing.assert_close(posterior.mean, expected.mean)
    weighted = (sequence + model.signal_encoder(batch.signals)) * prediction.mask[..., None]
    pooled = model.backbone(weighted)[:, 20:28].mean(1)
    torch.testing.assert_close(prediction.expression, model.head(pooled, batch.features))


def test_a_soft_mask_is_drawn_in_training_as_the_seed_decides() -> None:
    model, batch = network(soft()).train(), batch_of()
    torch.manual_seed(1)
    first = model(batch).mask
    second = model(batch).mask
    torch.manual_seed(1)
    assert torch.equal(model(batch).mask, first)
    assert not torch.equal(first, second)


def test_a_hard_mask_is_drawn_in_training_and_the_mean_decides_otherwise() -> None:
    model, batch = network(hard()), batch_of()
    torch.manual_seed(1)
    drawn = [model(batch).mask for _ in range(2)]
    assert not torch.equal(*drawn)
    assert set(drawn[0].unique().tolist()) == {0.0, 1.0}
    prediction, posterior = model.eval().select(batch)
    free = torch.ones(LENGTH, dtype=torch.bool)
    free[2:6] = free[20:28] = False
    assert torch.equal(prediction.mask[:, free].bool(), posterior.mean[:, free] >= 0.5)


@pytest.mark.parametrize("model", [soft(), hard()])
def test_all_draws_can_be_trained_on(model: Seq2ExpModel) -> None:
    built, objective = network(model), Bottleneck().build(model, 3)
    objective(built, batch_of())[1].total.backward()
    for name, parameter in built.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        assert parameter.grad is None or parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("gradient", "reaches"), [("kl-only", False), ("straight-through", True)])
def test_whether_the_prediction_loss_reaches_the_mask(gradient: str, reaches: bool, training: bool) -> None:
    model, batch = network(hard(gradient=gradient)).train(training), batch_of()
    model(batch).expression.sum().backward()
    readout = model.posterior.readout
    found = [parameter.grad is not None and bool(parameter.grad.any()) for parameter in readout.parameters()]
    assert found == [reaches, reaches]


def test_both_gradients_have_one_prediction() -> None:
    batch = batch_of()
    plain, through = (network(hard(gradient=gradient)).eval() for gradient in ("kl-only", "straight-through"))
    assert torch.equal(plain(batch).expression, through(batch).expression)


def test_learned_positions_are_those_around_the_centre() -> None:
    model, batch = network(hard(evidence=MaskEvidence(scale=1.0, floor=0.0, against=(0, 0, 0)))).eval(), batch_of()
    cut = slice(8, 40)
    shorter = replace(
        batch,
        sequence=batch.sequence[:, cut],
        signals=batch.signals[:, cut],
        blacklist=batch.blacklist[:, cut],
    )
    cropped = network(hard(positions=False)).eval()
    weights = {name: tensor for name, tensor in model.state_dict().items() if name != "positions"}
    cropped.load_state_dict(weights)
    with torch.no_grad():
        cropped.sequence_encoder = torch.nn.Sequential(cropped.sequence_encoder, _Add(model.positions[:, cut]))
        torch.testing.assert_close(model(shorter).expression, cropped(shorter).expression)


class _Add(torch.nn.Module):
    def __init__(self, values: torch.Tensor) -> None:
        super().__init__()
        self.values = values

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.values


@pytest.mark.parametrize("make", [soft, hard])
def test_a_dataset_without_a_blacklist(make: Callable[..., Seq2ExpModel]) -> None:
    model, batch = make(blacklist=False), batch_of()
    assert model.needs == set()
    assert torch.equal(network(model).eval()(batch).mask, network(model).eval()(replace(batch, blacklist=None)).mask)
    masks = [network(make()).eval()(b).mask for b in (batch, replace(batch, blacklist=None))]
    assert not masks[0][:, 2:6].any()
    assert masks[1][:, 2:6].any()


def test_longer_windows_have_no_positions() -> None:
    with pytest.raises(
        ConfigError, match=r"vectors for 48 positions, but the windows have 60 bp.*model\.positions=false"
    ):
        network(hard())(batch_of(length=60))
    assert network(hard(positions=False))(batch_of(length=60)).expression.shape == (3,)


def test_a_window_that_is_all_centre_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"window of 2,000 bp is not longer than.*model\.pool: 2,000.*reduce model\.pool"
    ):
        Seq2ExpSoft().build(3, 9, 2_000)


def test_both_networks_are_of_one_width() -> None:
    with pytest.raises(ConfigError, match=r"generator\.d_model \(128\) and backbone\.d_model \(16\) must be equal"):
        Seq2ExpSoft.parse({"backbone": {"kind": "caduceus", "d_model": 16}})
