"""Two blocks of one direction, as a bidirectional block: the second one reads the window from its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from epigx.layers.mamba import BiMamba, Scan

__all__ = ["BothWays", "both_ways"]


class BothWays(nn.Module):
    """The sum of a block on the window and of another on the flipped window; they share their projections in and out.

    This is how a bidirectional block is made of a library's block. The shared projections run once for each direction.
    """

    def __init__(self, ahead: nn.Module, back: nn.Module) -> None:
        super().__init__()
        self.ahead, self.back = ahead, back
        self.in_proj = cast(nn.Linear, ahead.in_proj)
        back.in_proj, back.out_proj = ahead.in_proj, ahead.out_proj

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.ahead(x) + self.back(x.flip(1)).flip(1)
        return y


def both_ways(mixer: Callable[[BiMamba], nn.Module], block: BiMamba) -> BothWays:
    """Make a bidirectional block of two fresh ones, and give them the weights of ours."""
    assert block.reverse_scan is not None, "our block reads both ways"
    ahead, back = mixer(block), mixer(block)
    _fill(ahead, block, block.forward_scan)
    _fill(back, block, block.reverse_scan)
    return BothWays(ahead, back)


@torch.no_grad()
def _fill(mixer: nn.Module, block: BiMamba, scan: Scan) -> None:
    """Copy the weights by the names that all implementations of Mamba share."""
    mixer.load_state_dict(
        {
            "in_proj.weight": block.in_proj.weight,
            "conv1d.weight": scan.conv_weight[:, None],
            "conv1d.bias": scan.conv_bias,
            "x_proj.weight": scan.x_proj,
            "dt_proj.weight": scan.dt_weight,
            "dt_proj.bias": scan.dt_bias,
            "A_log": scan.A_log,
            "D": scan.D,
            "out_proj.weight": block.out_proj.weight,
        }
    )
