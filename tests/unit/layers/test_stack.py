from __future__ import annotations

import pytest
import torch

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
