"""Batch normalisation; over several processes it is tested in tests/pipeline/test_processes.py."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from epigx.layers.batch_norm import BatchNorm


@pytest.mark.parametrize("training", [True, False])
def test_alone_it_is_pytorchs_own(training):
    ours, theirs = BatchNorm(4).train(training), nn.BatchNorm1d(4).train(training)
    x = torch.randn(3, 4, 10, requires_grad=True)
    other = x.detach().clone().requires_grad_()
    out, expected = ours(x), theirs(other)
    out.square().sum().backward()
    expected.square().sum().backward()
    assert torch.equal(out, expected)
    assert torch.equal(x.grad, other.grad)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name
