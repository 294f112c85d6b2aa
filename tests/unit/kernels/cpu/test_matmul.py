from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from epigx.kernels import cpu, kernel, linear
from epigx.kernels.cpu.library import use_instruction_set
from epigx.kernels.cpu.matmul import weight_gradient

pytestmark = pytest.mark.native

VARIANTS = ["avx512", "avx2", "baseline"]


def run(name: str, x: Tensor, weight: Tensor, bias: Tensor | None) -> list[Tensor]:
    inputs = [t.detach().requires_grad_() for t in (x, weight, bias) if t is not None]
    own = iter(inputs)
    with kernel(name):  # type: ignore[arg-type]
        y = linear(next(own), next(own), None if bias is None else next(own))
    # Of random signs: sums that rise to a hundred and come back to one lose digits in any order.
    by = torch.randn(y.shape, generator=torch.Generator().manual_seed(1)).to(y.dtype)
    return [y.detach(), *torch.autograd.grad((y * by).sum(), inputs)]


@pytest.mark.parametrize("variant", VARIANTS)
@given(
    rows=st.integers(1, 400),
    channels=st.integers(1, 150),
    out=st.integers(1, 150),
    biased=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=25)
def test_every_shape_in_every_variant(
    variant: str, rows: int, channels: int, out: int, biased: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    x, weight = torch.randn(1, rows, channels), torch.randn(out, channels)
    bias = torch.randn(out) if biased else None
    exact = run("reference", x.double(), weight.double(), None if bias is None else bias.double())
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        found = run("native", x, weight, bias)
    # Of one number that nearly cancels, no float32 gives the last digits: the bound is relative to the terms.
    for e, f, terms in zip(exact, found, [channels, out, rows, rows], strict=False):
        assert f.shape == e.shape
        assert (f - e).norm() <= 5e-6 * max(e.norm(), terms**0.5 * e.numel() ** 0.5 * 0.1)


@pytest.mark.parametrize(("channels", "out"), [(128, 512), (256, 128), (4, 128), (64, 24)])
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 11, 95, 97, 1000])
def test_a_row_does_not_depend_on_the_others_nor_on_threads(rows: int, channels: int, out: int) -> None:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(1000, channels), torch.randn(out, channels), torch.randn(out)
    whole, before = linear(x, weight, bias), torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            assert torch.equal(linear(x[:rows], weight, bias), whole[:rows])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("channels", "out"), [(128, 512), (256, 128), (6, 20), (70, 3)])
def test_the_gradient_of_weights_does_not_depend_on_threads(channels: int, out: int) -> None:
    torch.manual_seed(0)
    x, dy, before = torch.randn(3, 500, channels), torch.randn(3, 500, out), torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3, 7, 40):
            torch.set_num_threads(threads)
            found.append(weight_gradient(dy, x))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0], each) for each in found)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rows", [1, 95, 96, 97, 193])
def test_the_gradient_of_a_weight_depends_on_its_own_columns_alone(variant: str, rows: int) -> None:
    dy, x = torch.randn(rows, 70), torch.randn(rows, 150)
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        whole = weight_gradient(dy, x)
        for out, channels in ((1, 1), (5, 150), (70, 3), (13, 65), (70, 69)):
            assert torch.equal(weight_gradient(dy[:, :out], x[:, :channels]), whole[:out, :channels])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(("out", "channels"), [(20, 7), (7, 20), (65, 128)])
def test_a_column_that_is_not_finite_reaches_its_own_gradients_alone(out: int, channels: int, value: float) -> None:
    dy, x = torch.randn(200, out), torch.randn(200, channels)
    clean = weight_gradient(dy, x)
    x[150, channels - 1] = value
    found = weight_gradient(dy, x)
    assert not found[:, -1].isfinite().any()
    assert torch.equal(found[:, :-1], clean[:, :-1])
    x[150, channels - 1], dy[3, 4] = 0.0, value
    assert [bool(row.isfinite().all()) for row in weight_gradient(dy, x)] == [row != 4 for row in range(out)]


def test_the_gradient_of_the_bias_does_not_depend_on_threads() -> None:
    x, weight, bias = torch.randn(100_000, 2), torch.randn(8, 2), torch.zeros(8, requires_grad=True)
    by, before = torch.randn(100_000, 8), torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 7):
            torch.set_num_threads(threads)
            found += torch.autograd.grad(linear(x, weight, bias), bias, by)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(found[0], each) for each in found)
    torch.testing.assert_close(found[0].double(), by.double().sum(0), rtol=1e-5, atol=1e-3)


def test_long_sums_are_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    dy, x = torch.randn(1000, 7), torch.randn(1000, 9)
    exact = dy.double().T @ x.double()
    for rows in (1, 64, 999, 1000, 2**15):
        monkeypatch.setattr("epigx.kernels.cpu.matmul.ROWS", rows)
        assert (weight_gradient(dy, x) - exact).norm() <= 5e-6 * exact.norm()


def test_no_rows() -> None:
    x, weight = torch.randn(0, 5, 4, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    y = linear(x, weight)
    assert y.shape == (0, 5, 3)
    dx, d_weight = torch.autograd.grad(y.sum(), [x, weight])
    assert dx.shape == x.shape
    assert not d_weight.any()


@pytest.mark.parametrize(("channels", "out"), [(0, 0), (0, 3), (3, 0)])
def test_no_columns(channels: int, out: int) -> None:
    x, weight = torch.randn(5, channels, requires_grad=True), torch.randn(out, channels, requires_grad=True)
    y = linear(x, weight)
    assert torch.equal(y, torch.zeros(5, out))
    dx, d_weight = torch.autograd.grad(y.sum(), [x, weight])
    assert torch.equal(dx, torch.zeros(5, channels))
    assert torch.equal(d_weight, torch.zeros(out, channels))


def test_one_position_alone() -> None:
    x, weight, bias = (torch.randn(*shape, requires_grad=True) for shape in ((4,), (3, 4), (3,)))
    y = linear(x, weight, bias)
    assert y.shape == (3,)
    dx, d_weight, d_bias = torch.autograd.grad(y.sum(), [x, weight, bias])
    assert torch.allclose(dx, weight.sum(0))
    assert torch.equal(d_weight, x.expand(3, 4))
    assert torch.equal(d_bias, torch.ones(3))


def test_gradients_that_nobody_asked_for_are_not_made() -> None:
    x, weight = torch.randn(5, 4), torch.randn(3, 4, requires_grad=True)
    assert torch.allclose(torch.autograd.grad(linear(x, weight).sum(), weight)[0], x.sum(0).expand(3, 4))
    x.requires_grad_()
    assert torch.allclose(torch.autograd.grad(linear(x, weight.detach()).sum(), x)[0], weight.sum(0).expand(5, 4))


def test_views_and_strides_are_read_right() -> None:
    x, weight = torch.randn(6, 10, 8)[::2, :, ::2], torch.randn(4, 3).T
    torch.testing.assert_close(linear(x, weight), torch.nn.functional.linear(x, weight))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_visible(value: float) -> None:
    x = torch.randn(5, 128)
    x[2, 7] = value
    y = linear(x, torch.randn(40, 128))
    assert not y[2].isfinite().any()
    assert y[[0, 1, 3, 4]].isfinite().all()


def test_bfloat16_takes_the_products_of_pytorch() -> None:
    x, weight = torch.randn(9, 16).bfloat16(), torch.randn(8, 16)
    assert torch.equal(linear(x, weight), torch.nn.functional.linear(x, weight.bfloat16()))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^x has the shape \(5, 4\), but the other tensors need \(5, 3\)\."):
        cpu.linear(torch.randn(5, 4), torch.randn(2, 3), None)
    with pytest.raises(ValueError, match=r"^bias has the shape \(5,\), but the other tensors need \(2,\)\."):
        cpu.linear(torch.randn(5, 3), torch.randn(2, 3), torch.randn(5))
    with pytest.raises(ValueError, match=r"^dy has the shape \(6, 2\), but the other tensors need \(5, 2\)\."):
        weight_gradient(torch.randn(6, 2), torch.randn(5, 4))
    for dtype in (torch.bfloat16, torch.float64):
        with pytest.raises(ValueError, match=r"^The weight gradient needs float32 tensors, but dy is "):
            weight_gradient(torch.randn(5, 2), torch.randn(5, 4).to(dtype))


def test_export_for_any_number_of_positions() -> None:
    class Layer(torch.nn.Module):
        def forward(self, x: Tensor, weight: Tensor) -> Tensor:
            return linear(x, weight)

    weight = torch.randn(8, 16)
    sizes = {"x": {0: torch.export.Dim("rows", min=1, max=4096)}, "weight": None}
    program = torch.export.export(Layer(), (torch.randn(3, 16), weight), dynamic_shapes=sizes)
    x = torch.randn(11, 16)
    assert torch.equal(program.module()(x, weight), linear(x, weight))
