from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from epigx.layers.projection import Projection


def run(x: Tensor, weight: Tensor, by: Tensor, *, ours: bool) -> list[Tensor]:
    layer = Projection(*weight.T.shape).to(weight.dtype)
    layer.weight.data = weight.clone()
    x = x.clone().requires_grad_()
    y = layer(x) if ours else functional.linear(x, layer.weight)
    return [y.detach(), *torch.autograd.grad((y * by).sum(), [x, layer.weight])]


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize(("n_in", "n_out"), [(6, 20), (20, 6), (1, 1)])
def test_gradients(monkeypatch: pytest.MonkeyPatch, rows: int, n_in: int, n_out: int) -> None:
    monkeypatch.setattr("epigx.layers.projection.ROWS", 32)
    x, weight, by = torch.randn(2, rows, n_in), torch.randn(n_out, n_in), torch.randn(2, rows, n_out)
    exact = run(x.double(), weight.double(), by.double(), ours=False)
    for e, f in zip(exact, run(x, weight, by, ours=True), strict=True):
        assert f.shape == e.shape
        assert (f - e).norm() <= 5e-6 * e.norm().clamp_min(0.01)


def test_the_weights_keep_their_precision_under_autocast() -> None:
    layer, x = Projection(64, 32), torch.randn(5, 40, 64)
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


def test_gradients_of_no_rows_are_zero() -> None:
    layer, x = Projection(4, 3), torch.randn(0, 5, 4, requires_grad=True)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    assert not layer.weight.grad.any()


def test_without_gradients_the_bits_are_the_same() -> None:
    layer, x = Projection(128, 512), torch.randn(3, 100, 128)
    with torch.no_grad():
        plain = layer(x)
    assert torch.equal(layer(x), plain)
