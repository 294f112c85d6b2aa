from __future__ import annotations

import pytest
import torch

from epigx.kernels import causal_conv1d, kernel
from epigx.kernels.cpu import conv
from epigx.kernels.cpu.library import use_instruction_set

pytestmark = pytest.mark.native


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("length", "channels", "taps"), [(1, 256, 4), (129, 200, 3), (40, 5, 7), (2, 130, 4)])
def test_gradients_of_every_input(variant: str, reverse: bool, length: int, channels: int, taps: int) -> None:
    torch.manual_seed(length)
    tensors = [torch.randn(2, length, channels), torch.randn(channels, taps), torch.randn(channels)]
    weight = torch.randn(2, length, channels)
    results = []
    for name, dtype in (("reference", torch.float64), ("native", torch.float32)):
        own = [x.to(dtype).requires_grad_() for x in tensors]
        with kernel(name), use_instruction_set(variant) as there:  # type: ignore[arg-type]
            if not there:
                pytest.skip(f"this CPU cannot run {variant}")
            y = causal_conv1d(*own, reverse=reverse)
            results.append([y, *torch.autograd.grad((y * weight).sum(), own)])
    for exact, found in zip(*results, strict=True):
        assert (found - exact).norm() <= 5e-6 * exact.norm()


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 6])
def test_one_base_reaches_as_many_as_there_are_taps(variant: str, reverse: bool, taps: int) -> None:
    """To the bit: forward the taps from the last to the first, and back from where the gradient is."""
    length, channels = 70, 21
    weight = torch.randn(channels, taps)
    for place in (0, 1, 30, 31, 32, 33, length - 1):
        x = torch.zeros(1, length, channels, requires_grad=True)
        one = torch.zeros_like(x)
        one[0, place] = 1
        with use_instruction_set(variant) as there:
            if not there:
                pytest.skip(f"this CPU cannot run {variant}")
            y = causal_conv1d(one, weight, torch.zeros(channels), reverse=reverse)
            (dx,) = torch.autograd.grad(causal_conv1d(x, weight, torch.zeros(channels), reverse=reverse), x, one)
        after, before = torch.zeros_like(one), torch.zeros_like(one)
        for lag in range(taps):
            for expected, at in ((after, place + lag), (before, place - lag)):
                at = 2 * place - at if reverse else at
                if 0 <= at < length:
                    expected[0, at] = weight[:, taps - 1 - lag]
        assert torch.equal(y, after)
        assert torch.equal(dx, before)


@pytest.mark.parametrize("taps", [3, 4])
def test_bfloat16_is_rounded_at_the_ends_alone(taps: int) -> None:
    x, weight, bias = torch.randn(2, 70, 40).bfloat16(), torch.randn(40, taps), torch.randn(40)
    y = causal_conv1d(x, weight, bias)
    assert y.dtype == torch.bfloat16
    assert torch.equal(y, causal_conv1d(x.float(), weight, bias).bfloat16())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_what_is_not_finite_stays_visible(variant: str, value: float) -> None:
    x = torch.randn(2, 70, 40)
    x[1, 50, 3] = value
    with use_instruction_set(variant):
        found = causal_conv1d(x, torch.ones(40, 4), torch.zeros(40)).isfinite()
    assert not found[1, 50:54, 3].any()
    found[1, 50:54, 3] = True
    assert found.all()


def test_an_empty_batch() -> None:
    own = [x.requires_grad_() for x in (torch.randn(0, 9, 8), torch.randn(8, 4), torch.randn(8))]
    y = causal_conv1d(*own)
    assert y.shape == (0, 9, 8)
    assert all(not g.any() for g in torch.autograd.grad(y.sum(), own))


def test_operators_are_well_formed() -> None:
    own = [x.requires_grad_() for x in (torch.randn(2, 9, 5), torch.randn(5, 3), torch.randn(5))]
    torch.library.opcheck(conv._conv, (*own, True))


@pytest.mark.parametrize(("weight", "bias"), [((9, 4), (8,)), ((8, 4), (9,))])
def test_a_tensor_that_does_not_fit(weight: tuple[int, ...], bias: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r" has the shape \(9.*\), but the other tensors need \(8.*\)\.$"):
        conv.causal_conv1d(torch.randn(1, 9, 8), torch.randn(weight), torch.randn(bias))
