from __future__ import annotations

import pytest
import torch

from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import PredictorModel, Seq2ExpSoft
from epigx.objectives import (
    Backdoor,
    GeneSpecificBackdoor,
    InputBackdoor,
    Objective,
    Regression,
    Residualize,
    RiskExtrapolation,
    SignalDropout,
)
from epigx.objectives.background import accessibility, in_state

OBJECTIVES = [GeneSpecificBackdoor(), Residualize(), RiskExtrapolation(), InputBackdoor(), SignalDropout()]


def batch(n_genes: int = 6) -> Batch:
    torch.manual_seed(0)
    return Batch(
        sequence=torch.zeros(n_genes, 8, 4), signals=torch.rand(n_genes, 8, 3) + 0.1, features=torch.zeros(n_genes, 0)
    )


def test_kept_is_the_batch_itself() -> None:
    genes = batch()
    assert in_state(genes, (1, 2), "kept") is genes


def test_absent_is_what_dropping_reads() -> None:
    genes = batch()
    absent = in_state(genes, (1, 2), "absent").signals
    assert not absent[..., 1:].any()
    assert torch.equal(absent[..., 0], genes.signals[..., 0])


def test_exchanged_backgrounds_are_those_of_the_batch_and_stay_together() -> None:
    genes = batch()
    torch.manual_seed(1)
    found = in_state(genes, (1, 2), "exchanged").signals
    assert torch.equal(found[..., 0], genes.signals[..., 0])
    owners = [next(g for g in range(6) if torch.equal(found[row, :, 1:], genes.signals[g, :, 1:])) for row in range(6)]
    assert sorted(owners) == list(range(6))
    assert owners != list(range(6))


def test_accessibility_weighs_signals_alike() -> None:
    signals = torch.zeros(4, 8, 3)
    signals[..., 1] = torch.tensor([0.0, 1.0, 2.0, 3.0])[:, None]
    signals[..., 2] = torch.tensor([0.0, 100.0, 200.0, 300.0])[:, None]
    genes = Batch(sequence=torch.zeros(4, 8, 4), signals=signals, features=torch.zeros(4, 0))
    both, one = accessibility(genes, (1, 2)), accessibility(genes, (1,))
    torch.testing.assert_close(both, 2 * one)
    torch.testing.assert_close(accessibility(genes, (0, 1)), one)  # a signal that does not vary adds nothing


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.kind)
def test_there_has_to_be_a_background(objective: Objective) -> None:
    with pytest.raises(ConfigError, match=rf"'{objective.kind}' changes background signals.*inputs have none.*role"):
        objective.build(PredictorModel(), 3)
    with pytest.raises(ConfigError, match=rf"'{objective.kind}' changes background signals.*reads no signals"):
        objective.build(PredictorModel(signals=False), 3, (1, 2))
    with pytest.raises(ConfigError, match=r"that a predictor encodes.*or is not a predictor\. Use a predictor with"):
        objective.build(Seq2ExpSoft(), 3, (1, 2))


@pytest.mark.parametrize("objective", [Regression(), Backdoor(), *OBJECTIVES], ids=lambda objective: objective.kind)
def test_settings_load_back_equal(objective: Objective) -> None:
    assert Objective.parse(objective.model_dump(mode="json")) == objective
