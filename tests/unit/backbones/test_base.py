"""What it takes to add a backbone: one class, in one file, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from epigx.backbones import Backbone
from epigx.evaluation.evaluate import evaluate
from epigx.training.train import train


class Convolution(Backbone):
    """A backbone that somebody adds."""

    kind: Literal["test-convolution"] = "test-convolution"
    width: int = 5

    def build(self) -> nn.Module:
        return Convolve(self.d_model, self.width)


class Convolve(nn.Conv1d):
    def __init__(self, d_model: int, width: int) -> None:
        super().__init__(d_model, d_model, width, padding=width // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(super().forward(x.transpose(1, 2)).transpose(1, 2))


def test_a_new_backbone_takes_one_class(tiny_config: Callable[..., object], tmp_path: Path) -> None:
    config = tiny_config("training.warmup_steps=0", "training.steps=2", "model.backbone.kind=test-convolution")
    config = config.override("model.backbone.d_model=8", "model.backbone.width=3")
    assert config.method.model.backbone == Convolution(d_model=8, width=3)
    run = train(config, tmp_path / "run")  # InFER itself, as the objective asks for nothing of the backbone
    assert run.finished
    assert run.config == config  # read back from the folder
    assert run.provenance.steps_done == 2
    assert 0 < evaluate(run, split="test").metrics.mse < 100
