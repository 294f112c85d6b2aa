"""The parameters of one direction of a Mamba block."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

__all__ = ["Direction"]


class Direction(NamedTuple):
    """Parameters of one direction of a block; both directions share the input and output projections.

    D inner channels, N states per channel, K taps and rank R (Caduceus: D = 256, N = 16, K = 4, R = 8).
    """

    conv_weight: Tensor
    """(D, K), depthwise; tap K-1 is for the current position."""
    conv_bias: Tensor
    """(D,)"""
    x_proj: Tensor
    """(R + 2N, D): rows for the low-rank step, then B, then C."""
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
        """Number of states N per channel."""
        return self.A_log.shape[1]

    @property
    def dt_rank(self) -> int:
        """Rank R of the step projection."""
        return self.dt_weight.shape[1]
