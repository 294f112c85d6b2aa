"""The Mamba mixer, in one or both directions, with shared projections.

B batch, L length, D channels of the model, E = expand · D inner channels, N states, K width of the short convolution,
R rank of the step-size projection.
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.kernels import Direction, bimamba_inner
from epigx.layers.linear import Projection

__all__ = ["BiMamba", "Scan"]

STEP_MIN, STEP_MAX, STEP_FLOOR = 1e-3, 1e-1, 1e-4


class Scan(nn.Module):
    """Parameters of one direction: a short convolution and a selective state space (Gu & Dao, 2023)."""

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"A_log", "D", "conv_bias", "dt_bias"})
    """Parameters that the optimizer does not decay."""

    def __init__(self, d_inner: int, d_state: int, d_conv: int, dt_rank: int) -> None:
        super().__init__()
        self.conv_weight = nn.Parameter(torch.empty(d_inner, d_conv))
        self.conv_bias = nn.Parameter(torch.empty(d_inner))
        self.x_proj = nn.Parameter(torch.empty(dt_rank + 2 * d_state, d_inner))
        self.dt_weight = nn.Parameter(torch.empty(d_inner, dt_rank))
        self.dt_bias = nn.Parameter(torch.empty(d_inner))
        self.A_log = nn.Parameter(torch.empty(d_inner, d_state))
        self.D = nn.Parameter(torch.empty(d_inner))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the parameters: A = -(1 … N), D = 1, and step sizes log-uniform between 0.001 and 0.1."""
        d_inner, d_state = self.A_log.shape
        _uniform(self.conv_weight, 1 / math.sqrt(self.conv_weight.shape[1]))
        _uniform(self.conv_bias, 1 / math.sqrt(self.conv_weight.shape[1]))
        _uniform(self.x_proj, 1 / math.sqrt(d_inner))
        _uniform(self.dt_weight, 1 / math.sqrt(self.dt_weight.shape[1]))
        low, high = math.log(STEP_MIN), math.log(STEP_MAX)
        step = torch.empty_like(self.dt_bias).uniform_(low, high).exp().clamp(min=STEP_FLOOR)
        self.dt_bias.copy_(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus
        self.A_log.copy_(torch.arange(1, d_state + 1).log().expand(d_inner, d_state))
        self.D.fill_(1.0)

    def direction(self) -> Direction:
        """Return the parameters in the form that kernels take."""
        return Direction(
            self.conv_weight, self.conv_bias, self.x_proj, self.dt_weight, self.dt_bias, self.A_log, self.D
        )

    def extra_repr(self) -> str:
        """Show the sizes in ``print(module)``."""
        d_inner, d_state = self.A_log.shape
        rank, width = self.dt_weight.shape[1], self.conv_weight.shape[1]
        return f"d_inner={d_inner}, d_state={d_state}, d_conv={width}, dt_rank={rank}"


class BiMamba(nn.Module):
    """A Mamba mixer that reads the window in both directions, with shared input and output projections.

    The outputs of both directions are added, not averaged (Schiff et al., 2024). They are added before the output
    projection, which gives the same result because it is shared and has no bias.

    Parameters
    ----------
    d_model, d_state, d_conv : int
        D, N and K.
    expand : int
        Inner channels per channel, E / D.
    bidirectional : bool
        Whether the window is also read from its end.
    """

    def __init__(
        self, d_model: int = 128, d_state: int = 16, d_conv: int = 4, expand: int = 2, *, bidirectional: bool = True
    ) -> None:
        super().__init__()
        d_inner = expand * d_model
        dt_rank = math.ceil(d_model / 16)
        self.in_proj = Projection(d_model, 2 * d_inner)
        self.forward_scan = Scan(d_inner, d_state, d_conv, dt_rank)
        self.reverse_scan = Scan(d_inner, d_state, d_conv, dt_rank) if bidirectional else None
        self.out_proj = Projection(d_inner, d_model)

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Mix the positions of each window."""
        reverse = self.reverse_scan.direction() if self.reverse_scan is not None else None
        inner = bimamba_inner(self.in_proj(x), self.forward_scan.direction(), reverse)
        mixed: Tensor = self.out_proj(inner)
        return mixed


def _uniform(parameter: Tensor, bound: float) -> None:
    """Draw from U(-bound, bound), as PyTorch does for linear layers with bound = 1 / sqrt(fan-in)."""
    nn.init.uniform_(parameter, -bound, bound)
