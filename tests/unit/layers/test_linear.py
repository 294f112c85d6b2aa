from __future__ import annotations

import torch

from epigx.layers.linear import Linear, RowwiseLinear


def test_the_bias_starts_at_zero_and_the_weights_do_not() -> None:
    layer = Linear(8, 4)
    assert torch.equal(layer.bias, torch.zeros(4))
    assert layer.weight.abs().min() > 0
    assert layer.weight.abs().max() <= 8**-0.5


def test_without_bias() -> None:
    assert Linear(8, 4, bias=False).bias is None


def test_row_by_row_is_the_same_layer() -> None:
    layer = RowwiseLinear(137, 5)
    layer.bias.data.normal_()
    x = torch.randn(30, 137)
    torch.testing.assert_close(layer(x), torch.nn.functional.linear(x, layer.weight, layer.bias))
    assert torch.equal(layer(x)[7:8], layer(x[7:8]))
