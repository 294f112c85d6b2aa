"""The operators by themselves compute the same, and the same gradients, as float64 autograd through what is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from epigx.kernels import add_rms_norm, causal_conv1d, kernel, selective_scan

needs_native = pytest.mark.native
KERNELS = [pytest.param("native", marks=needs_native), "torch", "reference"]


class Case(NamedTuple):
    """Sizes of a call."""

    batch: int
    length: int
    channels: int
    state: int
    taps: int
    reverse: bool
    seed: int


cases = st.builds(
    Case,
    batch=st.integers(1, 3),
    length=st.one_of(st.integers(1, 70), st.sampled_from([96, 129])),
    channels=st.one_of(st.integers(1, 40), st.sampled_from([128, 130])),
    state=st.one_of(st.just(16), st.integers(1, 20)),
    taps=st.one_of(st.just(4), st.integers(1, 6)),
    reverse=st.booleans(),
    seed=st.integers(0, 10_000),
)


class Problem(NamedTuple):
    """An operator with its inputs."""

    run: Callable[..., Tensor | tuple[Tensor, Tensor]]
    inputs: list[Tensor]


def scan(case: Case) -> Problem:
    normal = _source(case.seed)
    shape = case.batch, case.length, case.channels
    rates = -torch.exp(normal(case.channels, case.state) * 0.5 + 1)
    steps = torch.nn.functional.softplus(normal(*shape) - 2)
    B, C = (normal(*shape[:2], case.state) for _ in "BC")
    run = lambda *inputs: selective_scan(*inputs, reverse=case.reverse)  # noqa: E731
    return Problem(run, [normal(*shape), steps, rates, B, C, normal(case.channels)])


def conv(case: Case) -> Problem:
    normal = _source(case.seed)
    x = normal(case.batch, case.length, case.channels)
    run = lambda *inputs: causal_conv1d(*inputs, reverse=case.reverse)  # noqa: E731
    return Problem(run, [x, normal(case.channels, case.taps), normal(case.channels)])


def norm(case: Case) -> Problem:
    normal = _source(case.seed)
    x, residual = (normal(case.batch, case.length, case.channels) for _ in range(2))
    weight = normal(case.channels)
    if case.reverse:  # at the start of the stream
        return Problem(lambda x, w: add_rms_norm(x, None, w, 1e-5)[1], [x, weight])
    return Problem(lambda x, r, w: add_rms_norm(x, r, w, 1e-5), [x, residual, weight])


def _source(seed: int) -> Callable[..., Tensor]:
    source = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=source)


def run(name: str, problem: Problem, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """The outputs, and the gradients of a sum of them weighted at random."""
    inputs = [x.to(dtype).requires_grad_() for x in problem.inputs]
    with kernel(name):
        found = problem.run(*inputs)
    outputs = found if isinstance(found, tuple) else (found,)
    normal = _source(1)
    total = sum((out * normal(*out.shape).to(dtype)).sum() for out in outputs)
    return [*(out.detach() for out in outputs), *torch.autograd.grad(total, inputs)]


def distance(exact: Tensor, found: Tensor) -> float:
    """The relative error; that of a tensor whose terms cancel to less than 0.01 is taken relative to 0.01."""
    return ((found.double() - exact).norm() / exact.norm().clamp_min(0.01 * exact.numel() ** 0.5)).item()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("make", [scan, conv, norm])
@given(case=cases)
@settings(deadline=None, max_examples=25)
def test_outputs_and_gradients_are_those_of_float64(make: Callable[[Case], Problem], name: str, case: Case) -> None:
    problem = make(case)
    exact = run("reference", problem, torch.float64)
    # Where a problem is badly conditioned, what the formula itself loses in float32 is the measure.
    lost = max(map(distance, exact, run("reference", problem)))
    assert max(map(distance, exact, run(name, problem))) < max(5e-6, 4 * lost)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("make", [scan, conv, norm])
@given(case=cases, channels=st.integers(1, 3))
@settings(deadline=None, max_examples=20)
def test_gradients_of_few_channels_taken_together(
    make: Callable[[Case], Problem], name: str, case: Case, channels: int
) -> None:
    # One by one the gradients of one channel may be sums that cancel to nothing, which no float32 gives exactly.
    problem = make(case._replace(channels=channels))
    exact, plain, found = (
        torch.cat([x.double().flatten() for x in run(kernel_name, problem, dtype)[-len(problem.inputs) :]])
        for kernel_name, dtype in (("reference", torch.float64), ("reference", torch.float32), (name, torch.float32))
    )
    assert (found - exact).norm() <= max(5e-6 * exact.norm(), 3 * (plain - exact).norm())


@needs_native
@pytest.mark.parametrize("make", [scan, conv, norm])
@given(case=cases, threads=st.integers(2, 5))
@settings(deadline=None, max_examples=15)
def test_native_bits_do_not_depend_on_threads(make: Callable[[Case], Problem], case: Case, threads: int) -> None:
    problem = make(case)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one, again = run("native", problem), run("native", problem)
        torch.set_num_threads(threads)
        many = run("native", problem)
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, one, again))
    assert all(map(torch.equal, one, many))


@needs_native
@pytest.mark.parametrize("make", [scan, conv, norm])
@given(case=cases)
@settings(deadline=None, max_examples=15)
def test_native_bits_of_a_sequence_do_not_depend_on_the_batch(make: Callable[[Case], Problem], case: Case) -> None:
    problem = make(case._replace(batch=3))
    alone = [x[-1:] if x.dim() == 3 else x for x in problem.inputs]
    with kernel("native"):
        whole, last = problem.run(*problem.inputs), problem.run(*alone)
    outputs: Sequence[tuple[Tensor, Tensor]] = (
        list(zip(whole, last, strict=True)) if isinstance(whole, tuple) else [(whole, last)]  # type: ignore[arg-type]
    )
    assert all(torch.equal(many[-1:], one) for many, one in outputs)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("make", [scan, conv])
@given(case=cases)
@settings(deadline=None, max_examples=15)
def test_the_reverse_is_the_mirrored_window(make: Callable[[Case], Problem], name: str, case: Case) -> None:
    there, back = make(case._replace(reverse=False)), make(case._replace(reverse=True))
    mirrored = [x.flip(1) if x.dim() == 3 else x for x in there.inputs]
    with kernel(name):
        here, flipped = there.run(*there.inputs), back.run(*mirrored)
    assert isinstance(here, Tensor)
    assert isinstance(flipped, Tensor)
    torch.testing.assert_close(flipped.flip(1), here, atol=1e-5, rtol=1e-5)
