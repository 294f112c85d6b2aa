from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from epigx.kernels import Direction, add_rms_norm, bimamba_inner, linear, out_ops

pytestmark = pytest.mark.native


def test_the_block_is_that_of_the_other_operator(direction: Callable[..., Direction]) -> None:
    xz, by = torch.randn(2, 45, 16), torch.randn(2, 45, 8)
    scans = [*direction(8), *direction(8, seed=1)]
    leaves = [tensor.clone().requires_grad_() for tensor in (xz, *scans)]
    expected = bimamba_inner(leaves[0], Direction(*leaves[1:8]), Direction(*leaves[8:]))
    gradients = torch.autograd.grad(expected, leaves, by)

    out, d_xz = torch.full_like(by, 7), torch.full_like(xz, 7)
    kept = [torch.full((size,), 7.0) for size in out_ops.kept_sizes(2, 45, scans)]
    out_ops.bimamba_inner(xz, scans, out, None, None)
    assert torch.equal(out, expected)
    out_ops.bimamba_inner(xz, scans, out.zero_(), *kept)
    assert torch.equal(out, expected)
    found = out_ops.bimamba_inner_backward(by, xz, scans, *kept, d_xz)
    assert all(map(torch.equal, [d_xz, *found], gradients))


@pytest.mark.parametrize("in_place", [True, False])
def test_the_norm_is_that_of_the_other_operator(in_place: bool) -> None:
    x, residual, by, from_elsewhere = torch.randn(4, 2, 9, 20)
    weight = torch.randn(20)
    leaves = [tensor.clone().requires_grad_() for tensor in (x, residual, weight)]
    total, normed = add_rms_norm(*leaves, 1e-5)
    dx, _, d_weight = torch.autograd.grad([total, normed], leaves, [from_elsewhere, by])

    own_total = residual.clone() if in_place else torch.empty_like(x)
    own_normed = torch.empty_like(x)
    out_ops.add_rms_norm(x, own_total if in_place else residual, weight, 1e-5, own_total, own_normed)
    assert torch.equal(own_total, total)
    assert torch.equal(own_normed, normed)
    own_dx = from_elsewhere.clone() if in_place else torch.empty_like(x)
    own_d_weight = out_ops.add_rms_norm_backward(
        own_dx if in_place else from_elsewhere, by, own_total, weight, 1e-5, own_dx
    )
    assert torch.equal(own_dx, dx)
    assert torch.equal(own_d_weight, d_weight)
    out_ops.add_rms_norm(x, residual, weight, 1e-5, own_total, own_total)
    assert torch.equal(own_total, normed)


def test_the_first_norm_is_that_of_the_other_operator() -> None:
    x, weight, by = torch.randn(7, 20, requires_grad=True), torch.randn(20, requires_grad=True), torch.randn(7, 20)
    expected = add_rms_norm(x, None, weight, 1e-5)[1]
    dx, d_weight = torch.autograd.grad(expected, [x, weight], by)
    normed, own_dx = torch.empty(7, 20), torch.empty(7, 20)
    with torch.no_grad():
        out_ops.rms_norm(x, weight, 1e-5, normed)
        assert torch.equal(normed, expected)
        assert torch.equal(out_ops.rms_norm_backward(by, x, weight, 1e-5, own_dx), d_weight)
    assert torch.equal(own_dx, dx)


def test_the_product_is_that_of_the_other_operator() -> None:
    x, weight, by = torch.randn(2, 9, 20, requires_grad=True), torch.randn(30, 20), torch.randn(2, 9, 30)
    y, dx = torch.empty(2, 9, 30), torch.empty(2, 9, 20)
    out_ops.linear(x.detach(), weight, y)
    out_ops.linear_backward(by, weight, dx)
    assert torch.equal(y, linear(x, weight))
    assert torch.equal(dx, torch.autograd.grad(linear(x, weight), x, by)[0])


def test_memory_that_does_not_fit_is_refused(direction: Callable[..., Direction]) -> None:
    scans, rows, square = list(direction(8)), torch.zeros(3, 8), torch.zeros(8, 8)
    xz, out, weight = torch.zeros(1, 5, 16), torch.zeros(1, 5, 8), torch.ones(8)
    kept = [torch.zeros(size) for size in out_ops.kept_sizes(1, 5, scans)]
    with pytest.raises(ValueError, match=r"^out has the shape \(1, 4, 8\), but the other tensors need "):
        out_ops.bimamba_inner(xz, scans, torch.zeros(1, 4, 8), *kept)
    with pytest.raises(ValueError, match=r"must be contiguous float32, but one is torch\.bfloat16, contiguous\."):
        out_ops.bimamba_inner(xz, scans, out.bfloat16(), *kept)
    with pytest.raises(ValueError, match=r"one is torch\.float32, not contiguous\."):
        out_ops.bimamba_inner(xz.mT.contiguous().mT, scans, out, *kept)
    with pytest.raises(ValueError, match=r"^The backward pass needs \(\d+, \d+\) floats, but .* have \(\d+, \d+\)\."):
        out_ops.bimamba_inner(xz, scans, out, kept[0][:-1], kept[1])
    with pytest.raises(ValueError, match=r"^projected and states belong together"):
        out_ops.bimamba_inner(xz, scans, out, kept[0], None)
    with pytest.raises(ValueError, match=r"^d_xz has the shape"):
        out_ops.bimamba_inner_backward(out, xz, scans, *kept, out)
    with pytest.raises(ValueError, match=r"^y has the shape"):
        out_ops.linear(rows, square, torch.zeros(3, 7))
    with pytest.raises(ValueError, match=r"^dx has the shape"):
        out_ops.linear_backward(rows, square, torch.zeros(2, 8))
    with pytest.raises(ValueError, match=r"^normed has the shape"):
        out_ops.rms_norm(rows, weight, 1e-5, square)
    with pytest.raises(ValueError, match=r"^d_normed has the shape"):
        out_ops.rms_norm_backward(square, rows, weight, 1e-5, rows.clone())
    with pytest.raises(ValueError, match=r"^total has the shape"):
        out_ops.add_rms_norm(rows, rows, weight, 1e-5, square, rows.clone())
    with pytest.raises(ValueError, match=r"^d_total has the shape"):
        out_ops.add_rms_norm_backward(square, rows, rows, weight, 1e-5, rows.clone())


def test_they_can_be_traced(direction: Callable[..., Direction]) -> None:
    """Under fake tensors nothing is computed, and shapes are those of the real operators."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    scans, xz, out = list(direction(8)), torch.zeros(1, 5, 16), torch.zeros(1, 5, 8)
    kept = [torch.zeros(size) for size in out_ops.kept_sizes(1, 5, scans)]
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        fake = [mode.from_tensor(tensor) for tensor in (out, xz, *kept)]
        out_ops.bimamba_inner(fake[1], scans, fake[0], *fake[2:])
        found = out_ops.bimamba_inner_backward(fake[0], fake[1], scans, *fake[2:], fake[1].clone())
        assert [each.shape for each in found] == [each.shape for each in scans]
        weight = mode.from_tensor(torch.ones(8))
        out_ops.rms_norm(fake[0], weight, 1e-5, fake[0].clone())
        assert out_ops.rms_norm_backward(fake[0], fake[0], weight, 1e-5, fake[0].clone()).shape == weight.shape
        out_ops.add_rms_norm(fake[0], fake[0], weight, 1e-5, fake[0].clone(), fake[0].clone())
        d_weight = out_ops.add_rms_norm_backward(None, fake[0], fake[0], weight, 1e-5, fake[0].clone())
        assert d_weight.shape == weight.shape
        out_ops.linear(fake[0], mode.from_tensor(torch.ones(16, 8)), fake[1].clone())
        out_ops.linear_backward(fake[1], mode.from_tensor(torch.ones(16, 8)), fake[0].clone())
