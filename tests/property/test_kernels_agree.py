"""Every implementation computes the same block and the same gradients as float64 autograd through the recurrence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from epigx.kernels import Direction, bimamba_inner, kernel

KERNELS = [
    pytest.param("native", marks=pytest.mark.native),
    "torch",
    "reference",
]


class Case(NamedTuple):
    """A block's sizes."""

    batch: int
    length: int
    channels: int
    state: int
    taps: int
    rank: int
    directions: int
    seed: int


cases = st.builds(
    Case,
    batch=st.integers(1, 3),
    length=st.one_of(st.integers(1, 70), st.sampled_from([128, 129, 160, 257])),
    channels=st.one_of(st.integers(16, 40), st.sampled_from([64, 128, 130])),
    state=st.one_of(st.just(16), st.integers(1, 20)),
    taps=st.one_of(st.just(4), st.integers(1, 6)),
    rank=st.one_of(st.just(8), st.integers(1, 18)),
    directions=st.sampled_from([1, 2]),
    seed=st.integers(0, 10_000),
)


def draw(case: Case) -> tuple[Tensor, list[Direction], Tensor]:
    """Random input and parameters (A and D too), and the weights of the outputs in the sum that is differentiated."""
    source = torch.Generator().manual_seed(case.seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=source)

    directions = [
        Direction(
            conv_weight=normal(case.channels, case.taps) * 0.5,
            conv_bias=normal(case.channels) * 0.1,
            x_proj=normal(case.rank + 2 * case.state, case.channels) / case.channels**0.5,
            dt_weight=normal(case.channels, case.rank) / case.rank**0.5,
            dt_bias=normal(case.channels) - 3,
            A_log=normal(case.channels, case.state) * 0.5 + 1,
            D=normal(case.channels),
        )
        for _ in range(case.directions)
    ]
    shape = case.batch, case.length, case.channels
    return normal(*shape[:2], 2 * case.channels), directions, normal(*shape)


def run(
    name: str, xz: Tensor, directions: Sequence[Direction], weight: Tensor, dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    """The output and the gradients of its weighted sum, for xz and every parameter."""
    x = xz.to(dtype).requires_grad_()
    own = [Direction(*(p.to(dtype).requires_grad_() for p in direction)) for direction in directions]
    with kernel(name):
        out = bimamba_inner(x, own[0], own[1] if len(own) > 1 else None)
    gradients = torch.autograd.grad((out * weight.to(dtype)).sum(), [x, *(p for direction in own for p in direction)])
    return [out.detach(), *gradients]


def distance(exact: Tensor, found: Tensor) -> float:
    """The relative error; that of a tensor whose terms cancel to less than 0.01 is taken relative to 0.01."""
    return ((found.double() - exact).norm() / exact.norm().clamp_min(0.01 * exact.numel() ** 0.5)).item()


@pytest.mark.parametrize("name", KERNELS)
@given(case=cases)
@settings(deadline=None, max_examples=40)
def test_output_and_gradients_are_those_of_float64(name: str, case: Case) -> None:
    xz, directions, weight = draw(case)
    exact = run("reference", xz, directions, weight, torch.float64)
    found = run(name, xz, directions, weight)
    # Where a problem is badly conditioned, what the recurrence itself loses in float32 is the measure.
    lost = max(map(distance, exact, run("reference", xz, directions, weight)))
    assert max(map(distance, exact, found)) < max(5e-6, 4 * lost)


def together(exact: Sequence[Tensor], found: Sequence[Tensor]) -> float:
    """The relative error of several tensors as one vector."""
    off = sum((f.double() - e).square().sum() for e, f in zip(exact, found, strict=True))
    return float(off / sum(e.square().sum() for e in exact)) ** 0.5


@pytest.mark.parametrize("name", KERNELS)
@given(case=cases, channels=st.integers(1, 15))
@settings(deadline=None, max_examples=30)
def test_gradients_of_few_channels_are_those_of_float64_taken_together(name: str, case: Case, channels: int) -> None:
    # A parameter of one channel or two has a gradient of one number or two, a sum that may cancel to nothing: the
    # relative error of that tensor alone has no bound, in PyTorch's own float32 as little as here.
    xz, directions, weight = draw(case._replace(channels=channels))
    exact = run("reference", xz, directions, weight, torch.float64)[1:]
    lost = together(exact, run("reference", xz, directions, weight)[1:])
    assert together(exact, run(name, xz, directions, weight)[1:]) <= max(5e-6, 3 * lost)


@pytest.mark.parametrize("name", KERNELS)
@given(case=cases)
@settings(deadline=None, max_examples=20)
def test_a_window_read_from_its_end_is_the_mirrored_window(name: str, case: Case) -> None:
    xz, directions, _ = draw(case._replace(directions=2))
    with kernel(name):
        here = bimamba_inner(xz, directions[0], directions[1])
        there = bimamba_inner(xz.flip(1), directions[1], directions[0])
    torch.testing.assert_close(there.flip(1), here, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
@given(case=cases, data=st.data())
@settings(deadline=None, max_examples=20)
def test_one_direction_never_looks_ahead(name: str, case: Case, data: st.DataObject) -> None:
    xz, (direction,), _ = draw(case._replace(directions=1))
    cut = data.draw(st.integers(0, case.length))
    changed = xz.clone()
    changed[:, cut:] += 1
    with kernel(name):
        before, after = bimamba_inner(xz, direction, None), bimamba_inner(changed, direction, None)
    torch.testing.assert_close(after[:, :cut], before[:, :cut], atol=1e-6, rtol=1e-5)


@pytest.mark.native
@given(case=cases, threads=st.integers(2, 5))
@settings(deadline=None, max_examples=20)
def test_native_bits_do_not_depend_on_threads_or_batch(case: Case, threads: int) -> None:
    xz, directions, weight = draw(case)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = run("native", xz, directions, weight)
        again = run("native", xz, directions, weight)
        torch.set_num_threads(threads)
        many = run("native", xz, directions, weight)
        alone = run("native", xz[-1:], directions, weight[-1:])
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, one, again))
    assert all(map(torch.equal, one, many))
    assert torch.equal(alone[0], one[0][-1:])  # the output
    assert torch.equal(alone[1], one[1][-1:])  # the gradient of xz
