from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from epigx.kernels import kernel, linear


def run(x: Tensor, weight: Tensor, by: Tensor, *, ours: bool) -> list[Tensor]:
    x, weight = x.clone().requires_grad_(), weight.clone().requires_grad_()
    with kernel("torch"):
        y = linear(x, weight) if ours else functional.linear(x, weight)
    return [y.detach(), *torch.autograd.grad((y * by).sum(), [x, weight])]


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize(("n_in", "n_out"), [(6, 20), (20, 6), (1, 1)])
def test_gradients(monkeypatch: pytest.MonkeyPatch, rows: int, n_in: int, n_out: int) -> None:
    monkeypatch.setattr("epigx.kernels.torch.block.ROWS", 32)
    x, weight, by = torch.randn(2, rows, n_in), torch.randn(n_out, n_in), torch.randn(2, rows, n_out)
    exact = run(x.double(), weight.double(), by.double(), ours=False)
    for e, f in zip(exact, run(x, weight, by, ours=True), strict=True):
        assert f.shape == e.shape
        assert (f - e).norm() <= 5e-6 * e.norm().clamp_min(0.01)


def test_no_rows() -> None:
    x, weight = torch.randn(0, 5, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    with kernel("torch"):
        d_weight = torch.autograd.grad(linear(x, weight).sum(), weight)[0]
    assert not d_weight.any()


def test_without_gradients_the_bits_are_the_same() -> None:
    x, weight, bias = torch.randn(3, 100, 128), torch.randn(512, 128, requires_grad=True), torch.randn(512)
    with kernel("torch"):
        for each in (None, bias):
            with torch.no_grad():
                plain = linear(x, weight, each)
            assert torch.equal(linear(x, weight, each), plain)
