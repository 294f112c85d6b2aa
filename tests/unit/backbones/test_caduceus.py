from __future__ import annotations

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.errors import ConfigError
from epigx.models import PredictorModel


def test_shape_and_gradient() -> None:
    stack = Caduceus(d_model=16, n_layers=2).build()
    x = torch.randn(2, 30, 16)
    result = stack(x)
    assert result.shape == x.shape
    result.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in stack.parameters())


def test_each_position_reads_those_on_both_sides() -> None:
    torch.manual_seed(0)
    stack = Caduceus(d_model=16, n_layers=1).build()
    x = torch.randn(1, 30, 16, requires_grad=True)
    stack(x)[0, 12].sum().backward()
    assert x.grad.abs().sum(-1).gt(0).all()


def test_a_backbone_is_chosen_by_its_kind() -> None:
    model = PredictorModel.parse({"backbone": {"kind": "caduceus", "n_layers": 2}})
    assert model.backbone == Caduceus(n_layers=2)
    with pytest.raises(ConfigError, match=r"unknown backbone 'caduceous'. Did you mean 'caduceus'"):
        PredictorModel.parse({"backbone": {"kind": "caduceous"}})
