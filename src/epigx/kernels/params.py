"""The parameters of one direction of a bidirectional Mamba block, and the names of the axes used in this package."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Direction"]


class Direction(NamedTuple):
    """What one direction of a block owns; the input and output projections are shared and live outside.

    With D inner channels, N states for each channel, K taps and rank R (Caduceus: D = 256, N = 16, K = 4, R = 8).
    """

    conv_weight: Tensor
    """(D, K), depthwise; tap K-1 meets the current base."""
    conv_bias: Tensor
    """(D,)"""
    x_proj: Tensor
    """(R + 2N, D): the rows that give the low-rank step, then B, then C."""
    dt_weight: Tensor
    """(D, R)"""
    dt_bias: Tensor
    """(D,)"""
    A_log: Tensor
    """(D, N): A = -exp(A_log)."""
    D: Tensor
    """(D,): the skip connection."""

    @property
    def d_state(self) -> int:
        """N, the number of states of each channel."""
        return self.A_log.shape[1]

    @property
    def dt_rank(self) -> int:
        """R, the rank of the projection that gives the step."""
        return self.dt_weight.shape[1]
