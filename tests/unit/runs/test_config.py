from __future__ import annotations

import pytest

from epigx.dataset.manifest.split import PAPER
from epigx.errors import ConfigError
from epigx.models import PredictorModel
from epigx.objectives import Backdoor
from epigx.runs.config import DataConfig, RunConfig
from epigx.training.config import TrainingConfig
from epigx.training.network import Network

CONFIG = RunConfig(
    data=DataConfig(path="data/k562", cell_types=("K562",), split=PAPER),
    method=Network(model=PredictorModel(), objective=Backdoor()),
)


def test_values_of_the_command_line() -> None:
    changed = CONFIG.override("data.signals=[dnase]", "data.transforms={dnase: sqrt}", "objective.alpha=0.1")
    assert changed.data.signals == ("dnase",)
    assert changed.data.transforms == {"dnase": "sqrt"}
    assert changed.method.objective == Backdoor(alpha=0.1)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("objective.alhpa=0.1", "Did you mean 'alpha'"),
        ("objective.n_patterns=0", "greater than or equal to 1"),
        ("data.cell_types=[]", "at least 1 item"),
        ("training.steps=100", r"warmup_steps \(5000\) must be below steps \(100\); set both when a run is short"),
        ("training.precision=fp8", "'fp32' or 'bf16'"),
        ("model.kind=predictr", "Did you mean 'predictor'"),
        ("training.betas=[0.9, 1.0]", r"training\.betas\.1: .*less than 1"),
        ("training.seed=9223372036854775808", r"training\.seed: .*less than"),
        ("training.lr=1e-5", r"lr_min \(0.0001\) must not be above lr \(1e-05\); set both"),
    ],
)
def test_what_cannot_work(assignment: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CONFIG.override(assignment)


def test_a_short_run() -> None:
    assert CONFIG.override("training.steps=100", "training.warmup_steps=10").method.training == TrainingConfig(
        steps=100, warmup_steps=10
    )
