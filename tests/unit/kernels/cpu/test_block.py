from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from epigx.kernels import Direction, bimamba_inner, kernel
from epigx.kernels.cpu import block, library
from epigx.kernels.cpu.library import use_instruction_set

pytestmark = pytest.mark.native


def run(xz: Tensor, directions: list[Direction], name: str = "native") -> list[Tensor]:
    own = [Direction(*(p.detach().to(xz.dtype).requires_grad_() for p in direction)) for direction in directions]
    xz = xz.detach().requires_grad_()
    with kernel(name):
        out = bimamba_inner(xz, own[0], own[1] if len(own) > 1 else None)
    weight = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out).sin()
    return [out.detach(), *torch.autograd.grad((out * weight).sum(), [xz, *(p for d in own for p in d)])]


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize(
    ("length", "channels", "state", "taps", "rank", "directions"),
    [
        (1, 256, 16, 4, 8, 2),  # one base
        (31, 64, 16, 4, 4, 2),  # less than a chunk
        (129, 256, 16, 4, 8, 2),  # a segment and one base: Caduceus' sizes
        (300, 256, 16, 4, 8, 1),  # one direction
        (161, 200, 6, 3, 70, 2),  # nothing divides anything, and a rank beyond one column block
        (40, 144, 20, 1, 1, 2),
        (70, 130, 16, 4, 9, 2),  # four taps where the last vectors are partial
        (33, 17, 16, 4, 3, 1),
        (65, 36, 5, 2, 2, 2),
        (66, 40, 16, 6, 5, 2),
    ],
)
def test_gradients_of_every_parameter(
    direction: Callable[..., Direction],
    variant: str,
    length: int,
    channels: int,
    state: int,
    taps: int,
    rank: int,
    directions: int,
) -> None:
    torch.manual_seed(length)
    xz = torch.randn(2, length, 2 * channels)
    parameters = [direction(channels, state, taps, rank, seed=seed) for seed in range(directions)]
    exact = run(xz.double(), parameters, "reference")
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        found = run(xz, parameters)
    for name, e, f in zip(["out", "xz", *Direction._fields * directions], exact, found, strict=True):
        assert (f - e).norm() <= 5e-6 * e.norm(), name


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
@pytest.mark.parametrize(("channels", "taps"), [(5, 1), (40, 2), (130, 4), (33, 4), (64, 6)])
def test_one_direction_in_bfloat16_is_float32_rounded(
    direction: Callable[..., Direction], variant: str, channels: int, taps: int
) -> None:
    parameters = direction(channels, taps=taps)
    xz, by = torch.randn(2, 75, 2 * channels).bfloat16(), torch.randn(2, 75, channels).bfloat16()
    found = []
    with use_instruction_set(variant) as there:
        if not there:
            pytest.skip(f"this CPU cannot run {variant}")
        for dtype in (torch.bfloat16, torch.float32):
            own = [xz.to(dtype).requires_grad_(), *(p.detach().requires_grad_() for p in parameters)]
            out = bimamba_inner(own[0], Direction(*own[1:]), None)
            found.append([out, *torch.autograd.grad(out, own, by.to(dtype))])
    for low, exact in zip(*found, strict=True):
        assert torch.equal(low, exact.to(low.dtype))


def test_bfloat16_is_rounded_at_the_ends_alone(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(2, 200, 128).bfloat16()
    parameters = [direction(64, seed=seed) for seed in (0, 1)]
    exact = run(xz.float(), parameters)
    own = [Direction(*(p.detach().requires_grad_() for p in d)) for d in parameters]
    x = xz.requires_grad_()
    out = bimamba_inner(x, *own)
    weight = torch.linspace(-1, 1, out.numel()).view_as(out).sin()
    gradients = torch.autograd.grad((out.float() * weight).sum(), [x, *(p for d in own for p in d)])
    assert out.dtype == gradients[0].dtype == torch.bfloat16
    assert {g.dtype for g in gradients[1:]} == {torch.float32}
    for e, f in zip(exact, [out, *gradients], strict=True):
        assert (f.float() - e).norm() <= 6e-3 * e.norm()


def test_bits_are_the_same_from_run_to_run_and_for_any_number_of_threads(direction: Callable[..., Direction]) -> None:
    # Longer than the stretch of 2,048 bases between meetings of a team, and not a multiple of a chunk.
    xz, parameters = torch.randn(3, 2217, 288), [direction(144, seed=seed) for seed in (0, 1)]
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 1, 2, 4, 7):  # sequences by thread, and channel groups by thread
            torch.set_num_threads(threads)
            results.append(run(xz, parameters))
    finally:
        torch.set_num_threads(before)
    for other in results[1:]:
        assert all(map(torch.equal, results[0], other))


@pytest.mark.parametrize("taps", [1, 2, 4, 6])
@pytest.mark.parametrize("length", [2049, 2050])
def test_a_base_or_two_beyond_the_stretch_between_meetings(
    direction: Callable[..., Direction], length: int, taps: int
) -> None:
    xz, parameters = torch.randn(1, length, 34), [direction(17, taps=taps, seed=seed) for seed in (0, 1)]
    exact, before = run(xz.double(), parameters, "torch"), torch.get_num_threads()
    try:
        results = []
        for threads in (1, 3):  # one thread goes from chunk to chunk, a team from stretch to stretch
            torch.set_num_threads(threads)
            results.append(run(xz, parameters))
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, *results))
    for name, e, f in zip(["out", "xz", *Direction._fields * 2], exact, results[0], strict=True):
        assert (f - e).norm() <= 5e-6 * e.norm(), name


def test_more_sequences_than_units_of_work(direction: Callable[..., Direction]) -> None:
    xz, parameters = torch.randn(150, 5, 16), [direction(8, seed=seed) for seed in (0, 1)]
    exact = run(xz.double(), parameters, "reference")
    for e, f in zip(exact, run(xz, parameters), strict=True):
        assert (f - e).norm() <= 5e-6 * e.norm()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("half", ["x", "z"])
@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_what_is_not_finite_stays_visible(
    direction: Callable[..., Direction], variant: str, half: str, value: float
) -> None:
    xz = torch.randn(2, 100, 64)
    clean = bimamba_inner(xz, direction(32), None)
    xz[1, 50, 3 + (32 if half == "z" else 0)] = value
    with use_instruction_set(variant):
        found = bimamba_inner(xz, direction(32), None)
    with kernel("reference"):
        expected = bimamba_inner(xz, direction(32), None)
    assert torch.equal(found.isfinite(), expected.isfinite())
    torch.testing.assert_close(found[1, :50], clean[1, :50])
    assert not found[1, 50].isfinite().all()


def test_a_gradient_that_is_not_finite_stays_where_it_reaches(direction: Callable[..., Direction]) -> None:
    """Nothing after it, and no other sequence, has other bits than without it."""
    xz, parameters, by = torch.randn(2, 100, 64), direction(32), torch.randn(2, 100, 32)
    gradients = []
    for value in (0.5, float("nan")):
        by[1, 50, 3] = value
        x = xz.detach().requires_grad_()
        gradients += torch.autograd.grad(bimamba_inner(x, parameters, None), x, by)
    clean, found = gradients
    assert torch.equal(found[0], clean[0])
    assert torch.equal(found[1, 51:], clean[1, 51:])
    assert found[1, 50, [3, 35]].isnan().all()


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_steep_and_flat_decays(direction: Callable[..., Direction], variant: str) -> None:
    """Steps and rates at which a careless exponential under- or overflows."""
    plain = direction(32)
    rates = torch.linspace(-30, 30, 32 * 16).view(32, 16)
    extreme = plain._replace(A_log=rates, dt_bias=torch.linspace(-60, 60, 32))
    xz = torch.randn(1, 70, 64)
    with kernel("reference"):
        exact = bimamba_inner(xz.double(), Direction(*(p.double() for p in extreme)), None)
    with use_instruction_set(variant):
        found = bimamba_inner(xz, extreme, None)
    torch.testing.assert_close(found.double(), exact, rtol=1e-4, atol=1e-4)


def test_checkpointing_recomputes_the_same(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(2, 70, 64, requires_grad=True)
    parameters = [Direction(*(p.requires_grad_() for p in direction(32, seed=seed))) for seed in (0, 1)]
    leaves = [xz, *parameters[0], *parameters[1]]
    plain = torch.autograd.grad(bimamba_inner(xz, *parameters).square().sum(), leaves)
    again = checkpoint(bimamba_inner, xz, *parameters, use_reentrant=False)
    assert all(map(torch.equal, plain, torch.autograd.grad(again.square().sum(), leaves)))


class Block(torch.nn.Module):
    def __init__(self, direction: Direction) -> None:
        super().__init__()
        self.project = torch.nn.Linear(5, 16)
        self.parameters_ = torch.nn.ParameterList([torch.nn.Parameter(p) for p in direction])

    def forward(self, x: Tensor) -> Tensor:
        return bimamba_inner(self.project(x), Direction(*self.parameters_), None)


def test_autocast_gives_bfloat16_and_float32_gradients(direction: Callable[..., Direction]) -> None:
    block, x = Block(direction(8)), torch.randn(1, 40, 5)
    exact = block(x)
    with torch.autocast("cpu", torch.bfloat16):
        out = block(x)
    assert out.dtype == torch.bfloat16
    assert (out - exact).norm() < 0.02 * exact.norm()
    out.float().sum().backward()
    assert {p.grad.dtype for p in block.parameters()} == {torch.float32}


def test_export_for_any_length(direction: Callable[..., Direction]) -> None:
    block = Block(direction(8)).eval()
    length = torch.export.Dim("length", min=2, max=4096)
    program = torch.export.export(block, (torch.randn(2, 50, 5),), dynamic_shapes={"x": {1: length}})
    x = torch.randn(2, 77, 5)
    assert torch.equal(program.module()(x), block(x))
    assert "epigx.bimamba_inner.default" in {str(node.target) for node in program.graph.nodes}


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(("channels", "state", "rank"), [(8, 16, 8), (130, 5, 3), (256, 16, 8)])
def test_operators_are_well_formed(
    direction: Callable[..., Direction], keep: bool, channels: int, state: int, rank: int
) -> None:
    xz = torch.randn(2, 33, 2 * channels, requires_grad=keep)
    parameters = [p.requires_grad_(keep) for seed in (0, 1) for p in direction(channels, state, 4, rank, seed=seed)]
    torch.library.opcheck(block._block, (xz, parameters, keep))


def test_the_backward_operator_is_well_formed(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(2, 32, 33).mT
    parameters = [p.detach() for seed in (0, 1) for p in direction(16, seed=seed)]
    with torch.no_grad():
        kept = block._block(xz, parameters, True)[1:]
    torch.library.opcheck(block._block_backward, (torch.randn(2, 16, 33).mT, xz, parameters, *kept))


def test_a_backward_pass_that_nothing_was_kept_for(direction: Callable[..., Direction]) -> None:
    xz, parameters = torch.randn(1, 40, 16, requires_grad=True), direction(8)
    out = block._block(xz, parameters, False)[0]
    with pytest.raises(RuntimeError, match=r"kept nothing for the backward pass, because it was traced without"):
        out.sum().backward()


def test_nothing_is_kept_without_a_gradient(
    monkeypatch: pytest.MonkeyPatch, direction: Callable[..., Direction]
) -> None:
    kept = []
    real = library.forward
    monkeypatch.setattr(library, "forward", lambda *a: (kept.append(a[-1]), real(*a)))
    xz, parameters = torch.randn(1, 40, 16), Direction(*(p.requires_grad_() for p in direction(8)))
    with torch.no_grad():
        without = bimamba_inner(xz, parameters, None)
    with_gradient = bimamba_inner(xz, parameters, None)
    assert kept[0] is None
    assert kept[1] is not None
    assert torch.equal(without, with_gradient)


def test_an_empty_batch(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(0, 40, 16, requires_grad=True)
    own = Direction(*(p.requires_grad_() for p in direction(8)))
    out = bimamba_inner(xz, own, None)
    assert out.shape == (0, 40, 8)
    gradients = torch.autograd.grad(out.sum(), [xz, *own])
    assert all(not g.any() for g in gradients)


def test_an_output_that_the_loss_does_not_use(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(1, 9, 16, requires_grad=True)
    stacked = torch.stack([bimamba_inner(xz, direction(8), None), torch.ones(1, 9, 8, requires_grad=True)])
    (gradient,) = torch.autograd.grad(stacked[1].sum(), xz, allow_unused=True, materialize_grads=True)
    assert not gradient.any()


@pytest.mark.parametrize("field", Direction._fields)
def test_a_parameter_that_does_not_fit(direction: Callable[..., Direction], field: str) -> None:
    fitting = direction(8)
    wrong = torch.zeros(3, 11) if getattr(fitting, field).dim() == 2 else torch.zeros(3)
    with pytest.raises(ValueError, match=r" has the shape \(.*\), but the other tensors need \(.*\)\.$"):
        bimamba_inner(torch.randn(1, 9, 16), fitting._replace(**{field: wrong}), None)


def test_a_parameter_elsewhere(direction: Callable[..., Direction]) -> None:
    fitting = direction(8)
    with pytest.raises(ValueError, match=r"^D is on meta, but xz is on cpu\.$"):
        library.Shape.of(torch.randn(1, 9, 16), fitting._replace(D=fitting.D.to("meta")))
