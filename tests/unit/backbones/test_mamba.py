from __future__ import annotations

import torch

from epigx.backbones import Mamba
from epigx.models import PredictorModel


def test_the_published_size() -> None:
    network = PredictorModel(backbone=Mamba(), signals=False).build(0, 9, 2000)
    assert sum(parameter.numel() for parameter in network.parameters()) == 502_401


def test_it_reads_from_the_start_alone() -> None:
    torch.manual_seed(0)
    stack = Mamba(d_model=16, n_layers=2).build()
    x = torch.randn(1, 30, 16, requires_grad=True)
    stack(x)[0, 12].sum().backward()
    assert x.grad[0, 13:].eq(0).all()
    assert x.grad[0, :13].abs().sum(-1).gt(0).all()
