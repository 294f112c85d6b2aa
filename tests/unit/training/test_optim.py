from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from epigx.models import PredictorModel
from epigx.objectives import Backdoor
from epigx.training.config import TrainingConfig
from epigx.training.optim import learning_rate, parameter_groups


def test_every_digit_of_the_official_schedule(shared_fixtures: Path) -> None:
    expected = json.loads((shared_fixtures / "lr_schedule.json").read_text())["lr_after_k_scheduler_steps"]
    assert {step: learning_rate(int(step), TrainingConfig()) for step in expected} == expected


def test_a_short_schedule_by_hand() -> None:
    config = TrainingConfig(steps=6, warmup_steps=2, warmup_lr=0.0, lr=1.0, lr_min=0.5)
    rates = [learning_rate(step, config) for step in range(8)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 0.75 + 0.25 * 2**-0.5, 0.75, 0.75 - 0.25 * 2**-0.5, 0.5, 0.5])


def test_no_warmup() -> None:
    assert learning_rate(0, TrainingConfig(steps=10, warmup_steps=0)) == 5e-4


def test_who_is_decayed() -> None:
    model = PredictorModel()
    network, objective = model.build(3, 9, 2000), Backdoor().build(model, 3)
    decayed, undecayed = parameter_groups(network, objective, weight_decay=1e-6)
    assert (decayed["weight_decay"], undecayed["weight_decay"]) == (1e-6, 0.0)
    assert sum(parameter.numel() for parameter in decayed["params"]) == 545_832
    assert sum(parameter.numel() for parameter in undecayed["params"]) == 39_849
    spared = {id(parameter) for parameter in undecayed["params"]}
    assert id(network.backbone.norm.weight) not in spared
    assert id(objective.confounder_encoder.convolutions[0][1].weight) in spared


def test_a_layer_says_what_is_not_decayed() -> None:
    class Scale(torch.nn.Module):
        no_weight_decay = frozenset({"scale"})

        def __init__(self) -> None:
            super().__init__()
            self.scale, self.power = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))

    layer = Scale()
    decayed, undecayed = parameter_groups(layer, weight_decay=0.1)
    assert [id(parameter) for parameter in decayed["params"]] == [id(layer.power)]
    assert [id(parameter) for parameter in undecayed["params"]] == [id(layer.scale)]


def test_embeddings_and_layer_norms_are_not_decayed() -> None:
    decayed, undecayed = parameter_groups(torch.nn.Embedding(3, 2), torch.nn.LayerNorm(2), weight_decay=0.1)
    assert not decayed["params"]
    assert len(undecayed["params"]) == 3
