"""A stack of Mamba blocks, read in one direction or in both."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.layers.mamba import BiMamba
from epigx.layers.norm import RMSNorm

__all__ = ["MambaBlock", "MambaStack"]


class MambaBlock(nn.Module):
    """x + mixer(RMSNorm(x)).

    Parameters
    ----------
    mixer : BiMamba
        What mixes the positions.
    d_model : int
        Channels of its input and output.
    """

    def __init__(self, mixer: BiMamba, d_model: int) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.mixer = mixer

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Add what the block reads from the window."""
        mixed: Tensor = self.mixer(self.norm(x))
        return x + mixed


class MambaStack(nn.Module):
    """The blocks, and a last RMSNorm.

    Each block's projection out starts smaller by the root of the number of blocks, so that the variance of the sum
    over blocks does not grow with depth.

    Parameters
    ----------
    n_layers : int
        Blocks.
    d_model, d_state, d_conv, expand : int
        Sizes of each, as in :class:`~epigx.layers.mamba.BiMamba`.
    bidirectional : bool
        Whether the blocks read the window from its end too.
    """

    def __init__(
        self, n_layers: int, d_model: int, d_state: int, d_conv: int, expand: int, *, bidirectional: bool
    ) -> None:
        super().__init__()
        mixers = (BiMamba(d_model, d_state, d_conv, expand, bidirectional=bidirectional) for _ in range(n_layers))
        self.blocks = nn.ModuleList(MambaBlock(mixer, d_model) for mixer in mixers)
        self.norm = RMSNorm(d_model)
        with torch.no_grad():
            for parameter in (p for name, p in self.named_parameters() if name.endswith("out_proj.weight")):
                parameter.div_(math.sqrt(n_layers))

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Read the window, block by block."""
        for block in self.blocks:
            x = block(x)
        hidden: Tensor = self.norm(x)
        return hidden
