from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from epigx.layers.linear import Linear, Projection, RowwiseLinear


def test_the_bias_starts_at_zero_and_the_weights_do_not() -> None:
    layer = Linear(8, 4)
    assert torch.equal(layer.bias, torch.zeros(4))
    assert layer.weight.abs().min() > 0
    assert layer.weight.abs().max() <= 8**-0.5


def test_without_bias() -> None:
    assert Linear(8, 4, bias=False).bias is None


def test_a_device_without_autocast() -> None:
    assert Linear(4, 3, device="meta")(torch.empty(5, 4, device="meta")).shape == (5, 3)


def test_autocast_leaves_double_precision_alone() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert Linear(4, 3).double()(torch.randn(5, 4, dtype=torch.float64)).dtype == torch.float64


def test_row_by_row_is_the_same_layer() -> None:
    layer = RowwiseLinear(137, 5)
    layer.bias.data.normal_()
    x = torch.randn(30, 137)
    torch.testing.assert_close(layer(x), functional.linear(x, layer.weight, layer.bias))
    assert torch.equal(layer(x)[7:8], layer(x[7:8]))


@pytest.mark.parametrize("kind", [Linear, Projection])
def test_the_weights_keep_their_precision_under_autocast(kind: type[Linear]) -> None:
    layer, x = kind(64, 32), torch.randn(5, 40, 64)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    y.float().square().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
    exact = torch.autograd.grad(functional.linear(x, layer.weight).square().sum(), layer.weight)[0]
    assert (layer.weight.grad - exact).norm() <= 1e-2 * exact.norm()


def test_a_gradient_that_nobody_asked_for() -> None:
    layer, x = Projection(4, 3), torch.randn(2, 4)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    layer.requires_grad_(False)
    x.requires_grad_()
    assert torch.equal(torch.autograd.grad(layer(x).sum(), x)[0], layer.weight.sum(0).expand(2, 4))
