from __future__ import annotations

import pytest
import torch
from torch import Tensor

from epigx.kernels import kernel, selective_scan
from epigx.kernels.cpu import scan
from epigx.kernels.cpu.library import use_instruction_set

pytestmark = pytest.mark.native


def inputs(length: int = 70, channels: int = 40, state: int = 16, batch: int = 2) -> list[Tensor]:
    source = torch.Generator().manual_seed(length)
    normal = lambda *shape: torch.randn(*shape, generator=source)  # noqa: E731
    delta = torch.nn.functional.softplus(normal(batch, length, channels) - 2)
    B, C = normal(batch, length, state), normal(batch, length, state)
    return [normal(batch, length, channels), delta, -normal(channels, state).exp(), B, C, normal(channels)]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize(("length", "channels", "state"), [(1, 256, 16), (31, 64, 16), (129, 200, 6), (40, 144, 20)])
def test_gradients_of_every_input(variant: str, length: int, channels: int, state: int, reverse: bool) -> None:
    tensors = inputs(length, channels, state)
    weight = torch.randn_like(tensors[0])

    def run(name: str, dtype: torch.dtype) -> list[Tensor]:
        own = [x.to(dtype).requires_grad_() for x in tensors]
        with kernel(name):  # type: ignore[arg-type]
            y = selective_scan(*own, reverse=reverse)
        return [y, *torch.autograd.grad((y * weight).sum(), own, allow_unused=True, materialize_grads=True)]

    exact = run("reference", torch.float64)
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        found = run("native", torch.float32)
    for name, e, f in zip(["y", "u", "delta", "A", "B", "C", "D"], exact, found, strict=True):
        assert (f - e).norm() <= 5e-6 * e.norm(), name


def test_bfloat16_is_rounded_at_the_ends_alone() -> None:
    u, *others = inputs()
    u = u.bfloat16()
    weight = torch.randn_like(u)
    own = [u.requires_grad_(), *(x.requires_grad_() for x in others)]
    y = selective_scan(*own)
    gradients = torch.autograd.grad((y * weight).sum(), own)
    wide = [x.detach().float().requires_grad_() for x in own]
    exact = selective_scan(*wide)
    expected = torch.autograd.grad((exact * weight.float()).sum(), wide)
    assert y.dtype == gradients[0].dtype == torch.bfloat16
    assert {g.dtype for g in gradients[1:]} == {torch.float32}
    assert torch.equal(y, exact.bfloat16())
    assert torch.equal(gradients[0], expected[0].bfloat16())
    assert all(map(torch.equal, gradients[1:], expected[1:]))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_what_is_not_finite_stays_visible(variant: str, which: int, value: float) -> None:
    tensors = inputs()
    tensors[which][(1, 50, 3) if which != 2 else (3, 5)] = value if which != 2 else float("nan")
    with use_instruction_set(variant):
        found = selective_scan(*tensors)
    with kernel("reference"):
        expected = selective_scan(*tensors)
    assert torch.equal(found.isfinite(), expected.isfinite())
    assert not found.isfinite().all()


def test_nothing_is_kept_without_a_gradient() -> None:
    tensors = inputs()
    y, states = scan._scan(tensors, False, False)
    kept, some = scan._scan(tensors, False, True)
    assert states.numel() == 0
    assert some.numel() == 2 * 3 * 128 * 16  # every 32 bases, for groups of 128 channels
    assert torch.equal(y, kept)


def test_an_empty_batch() -> None:
    own = [x.requires_grad_() for x in inputs(batch=0)]
    y = selective_scan(*own)
    assert y.shape == (0, 70, 40)
    assert all(not g.any() for g in torch.autograd.grad(y.sum(), own))


def test_an_input_in_another_layout() -> None:
    u, *others = inputs()
    y = selective_scan(u.mT.contiguous().mT, *others)
    assert torch.equal(y, selective_scan(u, *others))


@pytest.mark.parametrize("reverse", [False, True])
def test_operators_are_well_formed(reverse: bool) -> None:
    own = [x.requires_grad_() for x in inputs(33, 5, 3)]
    torch.library.opcheck(scan._scan, (own, reverse, True))


def test_the_backward_operator_is_well_formed() -> None:
    own = inputs(33, 5, 3)
    own[0] = own[0].mT.contiguous().mT
    states = scan._scan(own, False, True)[1]
    torch.library.opcheck(scan._scan_backward, (torch.randn(2, 5, 33).mT, own, states, False))


def test_a_backward_pass_that_nothing_was_kept_for() -> None:
    y = scan._scan([x.requires_grad_() for x in inputs()], False, False)[0]
    with pytest.raises(RuntimeError, match=r"kept nothing for the backward pass, because it was traced without"):
        y.sum().backward()


@pytest.mark.parametrize("which", range(1, 6))
def test_a_tensor_that_does_not_fit(which: int) -> None:
    tensors = inputs()
    tensors[which] = torch.ones(*tensors[which].shape[:-1], tensors[which].shape[-1] + 1)
    with pytest.raises(ValueError, match=r" has the shape \(.*\), but the other tensors need \(.*\)\.$"):
        scan.selective_scan(*tensors)


def test_a_tensor_elsewhere() -> None:
    tensors = inputs()
    tensors[5] = tensors[5].to("meta")
    with pytest.raises(ValueError, match=r"^D is on meta, but u is on cpu\.$"):
        scan._arguments(tensors, False)
