from __future__ import annotations

import pytest
import torch

from epigx.kernels import kernel
from epigx.kernels.dispatch import KernelName
from epigx.layers.stack import MambaStack


def test_blocks_add_to_what_they_read_and_the_sum_is_normalised() -> None:
    torch.manual_seed(0)
    stack = MambaStack(2, 16, 4, 4, 2, bidirectional=True)
    x = torch.randn(1, 12, 16)
    one = x + stack.blocks[0].mixer(stack.blocks[0].norm(x))
    two = one + stack.blocks[1].mixer(stack.blocks[1].norm(one))
    torch.testing.assert_close(stack(x), stack.norm(two))


@pytest.mark.parametrize("n_layers", [1, 4])
def test_projections_out_start_smaller_in_deeper_stacks(n_layers: int) -> None:
    stack = MambaStack(n_layers, 128, 16, 4, 2, bidirectional=False)
    bound = 256**-0.5 / n_layers**0.5
    for block in stack.blocks:
        assert bound * 0.98 < block.mixer.out_proj.weight.abs().max() <= bound


@pytest.mark.parametrize("bidirectional", [True, False])
def test_without_gradients_a_few_windows_are_read_at_a_time(
    monkeypatch: pytest.MonkeyPatch, bidirectional: bool
) -> None:
    monkeypatch.setattr("epigx.layers.stack.BASES_IN_FLIGHT", 100)
    stack, x = MambaStack(2, 16, 4, 4, 2, bidirectional=bidirectional), torch.randn(7, 40, 16)
    sizes: list[int] = []
    stack.blocks[0].mixer.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    whole = stack(x)
    with torch.no_grad():
        parts = stack(x)
    size = max(2, torch.get_num_threads())
    assert sizes == [7, *[size] * (7 // size), *[7 % size] * (7 % size > 0)]
    assert torch.equal(parts, whole)


@pytest.mark.parametrize(
    "kernel_name",
    [
        "torch",
        pytest.param("native", marks=pytest.mark.native),
    ],
)
def test_the_precision_does_not_depend_on_the_number_of_windows(
    monkeypatch: pytest.MonkeyPatch, kernel_name: KernelName
) -> None:
    monkeypatch.setattr("epigx.layers.stack.BASES_IN_FLIGHT", 100)
    stack, x = MambaStack(2, 16, 4, 4, 2, bidirectional=True), torch.randn(7, 40, 16)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16), kernel(kernel_name):
        whole, one = stack(x), stack(x[:1])
    assert whole.dtype == one.dtype == torch.bfloat16
    if kernel_name == "native":
        assert torch.equal(whole[:1], one)


@pytest.mark.parametrize("with_gradients", [True, False])
def test_export_for_any_number_of_windows_of_any_length(with_gradients: bool) -> None:
    stack = MambaStack(1, 16, 16, 4, 2, bidirectional=True).eval()
    sizes = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("length", min=2, max=4096)}
    with torch.set_grad_enabled(with_gradients):
        program = torch.export.export(stack, (torch.randn(3, 50, 16),), dynamic_shapes={"x": sizes})
    x = torch.randn(5, 77, 16)
    torch.testing.assert_close(program.module()(x), stack(x))
