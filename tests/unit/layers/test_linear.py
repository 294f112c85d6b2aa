from __future__ import annotations

import torch

from epigx.layers.linear import Linear


def test_the_bias_starts_at_zero_and_the_weights_do_not() -> None:
    layer = Linear(8, 4)
    assert torch.equal(layer.bias, torch.zeros(4))
    assert layer.weight.abs().min() > 0
    assert layer.weight.abs().max() <= 8**-0.5


def test_without_bias() -> None:
    assert Linear(8, 4, bias=False).bias is None
