from __future__ import annotations

import weakref
from collections.abc import Callable

import pytest
import torch
from benchmarks.measure import peak
from benchmarks.scaling import Pass
from benchmarks.worker import run_in_worker
from torch import Tensor, nn
from torch.nn.utils import parametrize

from epigx.kernels import kernel
from epigx.layers import mamba_inplace
from epigx.layers.checkpointing import checkpoint_layers
from epigx.layers.mamba import BiMamba
from epigx.layers.stack import MambaStack

pytestmark = pytest.mark.native


def stack_of(n: int = 2, d: int = 16, *, bidirectional: bool = True) -> MambaStack:
    torch.manual_seed(0)
    stack = MambaStack(n, d, 16, 4, 2, bidirectional=bidirectional)
    for parameter in stack.parameters():  # norms that do something
        parameter.data += 0.1 * torch.randn_like(parameter)
    return stack


def outcome(stack: MambaStack, x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    hidden = stack(x)
    by = torch.linspace(-1, 1, hidden.numel()).view_as(hidden).sin()
    with torch.no_grad():
        alone = stack(x)
    return [hidden.detach(), alone, *torch.autograd.grad((hidden * by).sum(), [x, *stack.parameters()])]


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(
    ("n", "d", "batch", "length"), [(1, 24, 3, 13), (3, 32, 2, 77), (2, 20, 1, 200), (2, 128, 2, 64)]
)
def test_the_bits_are_those_of_the_modules(
    monkeypatch: pytest.MonkeyPatch, n: int, d: int, batch: int, length: int, bidirectional: bool
) -> None:
    stack, x = stack_of(n, d, bidirectional=bidirectional), torch.randn(batch, length, d)
    checkpoint_layers(stack)
    assert stack._runs_in_place(x)
    found, start = outcome(stack, x), x.clone()
    assert torch.equal(x, start)  # what was read is left as it was
    monkeypatch.setattr(stack, "_runs_in_place", lambda x: False)
    assert all(map(torch.equal, found, outcome(stack, x)))


def test_a_backward_pass_can_be_made_twice() -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16, requires_grad=True)
    checkpoint_layers(stack)
    total = stack(x).square().sum()
    first = torch.autograd.grad(total, [x, *stack.parameters()], retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(total, [x, *stack.parameters()])))


def test_weights_that_changed_before_the_backward_pass_are_noticed() -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16, requires_grad=True)
    checkpoint_layers(stack)
    total = stack(x).square().sum()
    with torch.no_grad():
        stack.blocks[0].mixer.in_proj.weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


def test_frozen_weights_have_no_gradient() -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16)
    checkpoint_layers(stack)
    stack.blocks[0].requires_grad_(False)
    stack(x).square().sum().backward()
    assert all(parameter.grad is None for parameter in stack.blocks[0].parameters())
    assert all(parameter.grad is not None for parameter in stack.blocks[1].parameters())


def test_buffers_are_freed_after_the_backward_pass() -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16)
    checkpoint_layers(stack)
    hidden = stack(x)
    buffers = [weakref.ref(tensor) for tensor in hidden.grad_fn.buffers]
    assert all(each() is not None for each in buffers)
    hidden.square().sum().backward()
    assert all(each() is None for each in buffers)


@pytest.mark.parametrize("windows", [6, 7])
def test_batches_of_windows_share_their_buffers(monkeypatch: pytest.MonkeyPatch, windows: int) -> None:
    monkeypatch.setattr("epigx.layers.stack.BASES_IN_FLIGHT", 90)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    stack, x = stack_of(), torch.randn(windows, 16, 30).transpose(1, 2)
    taken, allocate_buffers = [], mamba_inplace.allocate_buffers
    monkeypatch.setattr(
        mamba_inplace, "allocate_buffers", lambda x, inner: taken.append(len(x)) or allocate_buffers(x, inner)
    )
    start = x.clone()
    with torch.no_grad():
        parts = stack(x)
        assert taken == [3]
        assert torch.equal(parts, torch.cat([stack(x[i : i + 1]) for i in range(windows)]))
    assert torch.equal(x, start)
    assert parts.is_contiguous()


class Louder(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 2 * weight


def hooked(stack: MambaStack) -> None:
    stack.blocks[1].mixer.register_forward_hook(lambda module, inputs, output: 0 * output)


def parametrised(stack: MambaStack) -> None:
    parametrize.register_parametrization(stack.blocks[1].mixer.in_proj, "weight", Louder())


def replaced(stack: MambaStack) -> None:
    stack.blocks[1].mixer = nn.Identity()


def other_eps(stack: MambaStack) -> None:
    stack.blocks[1].norm.eps = 1.0


def biased(stack: MambaStack) -> None:
    for block in stack.blocks:
        block.mixer.in_proj.bias = nn.Parameter(torch.ones(64))


def patched(stack: MambaStack) -> None:
    stack.blocks[1].mixer.forward = torch.zeros_like


def one_direction(stack: MambaStack) -> None:
    stack.blocks[1].mixer.reverse_scan = None


def wider(stack: MambaStack) -> None:
    stack.blocks[1].mixer = BiMamba(16, expand=4)


@pytest.mark.parametrize("change", [hooked, parametrised, replaced, other_eps, biased, patched, one_direction, wider])
def test_a_changed_module_is_heard(change: object) -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16)
    with torch.no_grad():
        before = stack(x)
        change(stack)  # type: ignore[operator]
        assert not stack._runs_in_place(x)
        after = stack(x)
    torch.testing.assert_close(after, stack(x))
    assert not torch.allclose(after, before)


def test_a_global_hook_is_called() -> None:
    stack, x, called = stack_of(), torch.randn(2, 30, 16), []
    handle = nn.modules.module.register_module_forward_hook(lambda module, *_: called.append(type(module)))
    try:
        with torch.no_grad():
            stack(x)
    finally:
        handle.remove()
    assert BiMamba in called


def test_a_subclass_is_asked() -> None:
    class Doubled(MambaStack):
        def run_layer(self, layer: Callable[..., object], *inputs: object) -> object:
            return layer(*(2 * each if isinstance(each, Tensor) else each for each in inputs))

    stack, x = Doubled(2, 16, 16, 4, 2, bidirectional=True), torch.randn(2, 30, 16)
    with torch.no_grad():
        assert torch.equal(stack(x), stack._read(x))
        assert not stack._runs_in_place(x)


def test_where_it_does_not_run() -> None:
    stack, x = stack_of(), torch.randn(2, 30, 16)
    assert stack._runs_in_place(x)
    assert not stack._runs_in_place(x[:0])
    assert not stack._runs_in_place(x.double())
    with torch.autocast("cpu", torch.bfloat16):
        assert not stack._runs_in_place(x)
    with kernel("torch"):
        assert not stack._runs_in_place(x)
    assert not stack.double()._runs_in_place(x)


@pytest.mark.slow
@pytest.mark.parametrize("length", [8_000])
@pytest.mark.parametrize(("work", "most"), [("checkpointed", 12_000), ("evaluation", 5_000)])
def test_memory_for_each_base(work: str, most: int, length: int) -> None:
    """The paper's network: hidden states of 512 bytes, of which training keeps one for each layer."""
    mebibytes = run_in_worker(peak, Pass("epigx", work, length))  # type: ignore[arg-type]
    if mebibytes is None:
        pytest.skip("memory is read from /proc, which this system does not have")
    assert mebibytes * 2**20 <= most * length
