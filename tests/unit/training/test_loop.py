"""The steps of the training loop: when it validates, what it logs."""

from __future__ import annotations

import signal

import pytest

from epigx.training.config import TrainingConfig
from epigx.training.loop import validation_interval
from epigx.training.network import StoppedError
from epigx.training.train import train


@pytest.mark.parametrize("stop", [None, 3, 4, 5, 9])
def test_validations_are_at_fixed_steps_also_after_a_resumption(tiny_config, tmp_path, stop):
    config = tiny_config("training.steps=10", "training.batch_size=12", f"training.validate_every={4 / 3}")

    def progress(done, total, metrics):
        if done == stop:
            signal.raise_signal(signal.SIGTERM)

    if stop is not None:
        with pytest.raises(StoppedError):
            train(config, tmp_path / "run", progress=progress)
    log = train(config, tmp_path / "run", resume=True).log
    assert log["step"].tolist() == [4, 8, 10]
    assert log["epoch"].tolist() == pytest.approx([4 / 3, 8 / 3, 10 / 3])  # 36 genes: 3 steps per epoch


def test_there_is_at_least_a_step_between_validations():
    assert validation_interval(TrainingConfig(validate_every=0.01), steps_per_epoch=3) == 1


@pytest.mark.parametrize("change", ["objective.alpha=0", "objective.beta=0"])
def test_the_log_has_unweighted_terms(tiny_config, tmp_path, change):
    log = train(tiny_config("training.steps=4", change), tmp_path / "run").log
    assert (log[["train_prediction", "train_intervention"]] > 0).all(axis=None)
    assert (log["train_diversity"] != 0).all()
