from __future__ import annotations

import pytest
import torch
from torch import Tensor

from epigx.kernels import add_rms_norm, kernel
from epigx.kernels.cpu import norm
from epigx.kernels.cpu.library import use_instruction_set

pytestmark = pytest.mark.native


def run(name: str, x: Tensor, residual: Tensor | None, weight: Tensor) -> list[Tensor]:
    inputs = [t.detach().requires_grad_() for t in (x, residual, weight) if t is not None]
    own = iter(inputs)
    with kernel(name):  # type: ignore[arg-type]
        total, normed = add_rms_norm(next(own), None if residual is None else next(own), next(own), 1e-5)
    by = torch.linspace(-1, 1, x.numel(), dtype=torch.float64).view_as(x).sin().to(x.dtype)
    loss = (normed * by).sum() + (total * by.flip(-1)).sum()
    return [total.detach(), normed.detach(), *torch.autograd.grad(loss, inputs)]


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize(("rows", "width"), [(1, 128), (700, 128), (300, 5), (257, 130)])
def test_gradients_of_every_input(variant: str, rows: int, width: int, start: bool) -> None:
    torch.manual_seed(rows)
    x, weight = torch.randn(rows, width), torch.randn(width)
    residual = None if start else torch.randn(rows, width)
    exact = run("reference", x.double(), None if residual is None else residual.double(), weight.double())
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        found = run("native", x, residual, weight)
    for e, f in zip(exact, found, strict=True):
        assert (f - e).norm() <= 5e-6 * e.norm()


@pytest.mark.parametrize("residual_dtype", [torch.bfloat16, torch.float32, torch.float16])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_precisions(dtype: torch.dtype, residual_dtype: torch.dtype) -> None:
    """The stream is float32, the rest as it comes, and the numbers are plain PyTorch's."""
    x, residual, weight = torch.randn(40, 128).to(dtype), torch.randn(40, 128).to(residual_dtype), torch.randn(128)
    found, expected = run("native", x, residual, weight), run("torch", x, residual, weight)
    assert [t.dtype for t in found] == [torch.float32, dtype, dtype, residual_dtype, torch.float32]
    for f, e in zip(found, expected, strict=True):
        assert f.dtype == e.dtype
        bound = {torch.bfloat16: 1e-2, torch.float16: 1e-3, torch.float32: 1e-6}[f.dtype]
        assert (f.double() - e.double()).norm() <= bound * e.double().norm()


def test_the_stream_starts_as_what_is_added_first() -> None:
    x = torch.randn(3, 8)
    assert add_rms_norm(x, None, torch.ones(8), 1e-5)[0] is x


@pytest.mark.parametrize("used", [0, 1])
def test_one_of_the_outputs_goes_nowhere(used: int) -> None:
    x, residual, weight = (torch.randn(*shape, requires_grad=True) for shape in ((9, 16), (9, 16), (16,)))
    by = torch.randn(9, 16)
    for name in ("native", "torch"):
        with kernel(name):  # type: ignore[arg-type]
            out = add_rms_norm(x, residual, weight, 1e-5)[used]
        found = torch.autograd.grad((out * by).sum(), [x, residual, weight], allow_unused=True, materialize_grads=True)
        expected = found if name == "native" else expected  # noqa: F821
        for f, e in zip(found, expected, strict=True):
            torch.testing.assert_close(f, e)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_visible(value: float) -> None:
    x = torch.randn(5, 128)
    x[2, 7] = value
    total, normed = add_rms_norm(x, torch.randn(5, 128), torch.ones(128), 1e-5)
    assert not total[2, 7].isfinite()
    assert not normed[2].isfinite().all()
    assert normed[[0, 1, 3, 4]].isfinite().all()


def test_no_rows() -> None:
    x, residual, weight = torch.randn(0, 8), torch.randn(0, 8), torch.randn(8)
    for found in (run("native", x, residual, weight), run("native", x, None, weight)):
        assert not found[-1].any()


def test_operators_are_well_formed() -> None:
    x, residual, weight = (torch.randn(*shape, requires_grad=True) for shape in ((2, 9, 5), (2, 9, 5), (5,)))
    torch.library.opcheck(norm._add_norm, (x, residual, weight, 1e-5))
    torch.library.opcheck(norm._norm, (x, weight, 1e-5))


def test_tensors_that_do_not_fit() -> None:
    x = torch.randn(4, 8)
    with pytest.raises(ValueError, match=r"^residual has the shape \(3, 8\), but the other tensors need \(4, 8\)\.$"):
        norm.add_rms_norm(x, x[:3], torch.ones(8), 1e-5)
    with pytest.raises(ValueError, match=r"^weight has the shape \(7,\), but the other tensors need \(8,\)\.$"):
        norm.add_rms_norm(x, None, torch.ones(7), 1e-5)
