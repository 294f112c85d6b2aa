"""The estimated cost of a prediction, which memory and CPU-hours are computed from."""

from __future__ import annotations

import pytest

from epigx.backbones import Caduceus, HyenaDNA
from epigx.models import Cost, EnformerModel, EPInformerModel, Model, PredictorModel, Seq2ExpHard, Seq2ExpSoft

KB36 = 36_000.0
"""Bytes per position of four Mamba layers of 128 channels."""


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (PredictorModel(), Cost(7_000, 4_000, KB36 * 4_000)),
        (PredictorModel(resolution=25), Cost(7_000, 160, KB36 * 160)),
        (PredictorModel(backbone=Caduceus(d_model=32, n_layers=2)), Cost(7_000, 4_000, KB36 * 4_000 / 8)),
        (PredictorModel(backbone=HyenaDNA()), Cost(7_000, 4_000, 2 * KB36 * 4_000)),
        (Seq2ExpSoft(), Cost(7_000, 4_000, 2 * KB36 * 4_000)),
        (Seq2ExpHard(positions=False), Cost(7_000, 8_000, 2 * KB36 * 4_000)),
        (Seq2ExpHard(), Cost(7_000 - 4_000 * 128, 8_000, 2 * KB36 * 4_000)),
        (EnformerModel(), Cost(7_000, 31, 50.0 * 1_536 * 4_000)),
        (EnformerModel(longest=2_000), Cost(7_000, 31, 50.0 * 1_536 * 2_000)),
        (EPInformerModel(), Cost(7_000, 8 * 2_000, 30.0 * 384 * 8 * 2_000)),
    ],
)
def test_the_cost_of_one_prediction(model: Model, expected: Cost) -> None:
    found = model.cost(4_000, 7_000, 8)
    assert (found.weights, found.positions) == (expected.weights, expected.positions)
    assert found.bytes_per_gene == pytest.approx(expected.bytes_per_gene)


def test_only_seq2exp_makes_a_mask() -> None:
    assert Seq2ExpSoft().makes_mask
    assert Seq2ExpHard().makes_mask
    assert not any(model.makes_mask for model in (PredictorModel(), EnformerModel(), EPInformerModel()))


def test_a_model_without_an_estimate_counts_as_four_mamba_layers() -> None:
    assert Model.cost(EnformerModel(), 4_000, 7_000) == Cost(7_000, 4_000, KB36 * 4_000)
