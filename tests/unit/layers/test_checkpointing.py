from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from epigx.kernels import kernel
from epigx.layers.checkpointing import Checkpointed, checkpoint_layers, spare_memory
from epigx.layers.stack import MambaStack

CPU = torch.device("cpu")


class Counted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return (self.weight * x).exp()


class Pair(Checkpointed):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = Counted(), Counted()

    def forward(self, x: Tensor) -> Tensor:
        return self.run_layer(self.last, self.run_layer(self.first, x))


def test_a_layer_is_computed_anew_in_the_backward_pass_alone() -> None:
    pair, x = Pair(), torch.zeros(3)
    pair(x).sum().backward()
    assert pair.last.calls == 1
    assert checkpoint_layers(nn.Sequential(pair))
    total = pair(x).sum()
    assert pair.last.calls == 2
    total.backward()
    assert pair.last.calls == 3
    with torch.no_grad():
        pair(x)
    assert pair.last.calls == 4


def test_a_network_without_such_layers() -> None:
    assert not checkpoint_layers(nn.Linear(3, 3))


@pytest.fixture
def given_back(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return what is added to each time that memory is to be given back, and leave this process as it is."""
    calls: list[bool] = []

    def give_back() -> bool:
        calls.append(True)
        return True

    monkeypatch.setattr("epigx.layers.checkpointing.give_back_freed_memory", give_back)
    return calls


@pytest.mark.parametrize(
    "network", [nn.Linear(3, 3), Pair(), nn.Sequential(Pair(), MambaStack(1, 8, 16, 4, 2, bidirectional=True))]
)
def test_networks_that_leave_gaps_give_memory_back(given_back: list[bool], network: nn.Module) -> None:
    assert spare_memory(network, CPU, torch.float32)
    assert given_back


def test_the_memory_of_a_gpu_is_left_alone(given_back: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epigx.kernels.cuda.missing", lambda: None)
    with kernel("cuda"):
        assert not spare_memory(MambaStack(1, 8, 16, 4, 2, bidirectional=True), torch.device("cuda"), torch.float32)
    assert not given_back


@pytest.mark.native
def test_a_stack_gives_memory_back_where_it_does_not_work_in_one_piece(given_back: list[bool]) -> None:
    network = nn.Sequential(MambaStack(1, 8, 16, 4, 2, bidirectional=True), nn.Linear(8, 1))
    assert not spare_memory(network, CPU, torch.float32)
    assert not given_back
    assert spare_memory(network, CPU, torch.bfloat16)
    with kernel("torch"):
        assert spare_memory(network, CPU, torch.float32)
    network[0].norm.register_forward_hook(lambda module, inputs, output: None)
    assert spare_memory(network, CPU, torch.float32)
    assert len(given_back) == 3


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_stack_gives_the_same_bits_from_less_memory(precision: torch.dtype) -> None:
    torch.manual_seed(0)
    stack, x = MambaStack(3, 32, 16, 4, 2, bidirectional=True), torch.randn(2, 77, 32)
    results, kept = [], []
    for again in (False, True):
        if again:
            checkpoint_layers(stack)
        bytes_kept = 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal bytes_kept
            bytes_kept += tensor.numel() * tensor.element_size()
            return tensor

        inputs = x.clone().requires_grad_()
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                hidden = stack(inputs)
        weight = torch.linspace(-1, 1, hidden.numel()).view_as(hidden).sin()
        gradients = torch.autograd.grad((hidden * weight).sum(), [inputs, *stack.parameters()])
        results.append([hidden.detach(), *gradients])
        kept.append(bytes_kept)
    assert all(map(torch.equal, *results))
    assert kept[1] * 4 < kept[0]
