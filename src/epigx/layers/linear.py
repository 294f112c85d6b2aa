"""Linear layers that use the active kernel."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx import kernels

__all__ = ["Linear", "Projection", "RowwiseLinear", "autocast_enabled"]


def autocast_enabled(device: torch.device) -> bool:
    """Return whether autocast is on for a device; device types without autocast, such as meta, return False."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


class Linear(nn.Linear):
    """PyTorch's linear layer with the bias initialised to zero.

    The official models set the bias of every linear layer to zero, including those of the head and the encoders.
    """

    def reset_parameters(self) -> None:
        """Draw new weights and set the bias to zero."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "*position channel"]) -> Float[Tensor, "*position unit"]:
        """Apply the layer to each position, in the precision of autocast if it is on."""
        if autocast_enabled(x.device) and x.dtype != torch.float64:
            x = x.to(torch.get_autocast_dtype(x.device.type))
        return kernels.linear(x, self.weight, self.bias)


class Projection(Linear):
    """A linear layer without bias: x Wᵀ."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, bias=False)


class RowwiseLinear(Linear):
    """A linear layer for few rows that computes each row separately.

    In a BLAS matrix product, the rounding of a row depends on the number of rows, so that a prediction would depend on
    the batch size.
    """

    def forward(self, x: Float[Tensor, "row channel"]) -> Float[Tensor, "row unit"]:
        """Apply the layer to each row."""
        return (x[:, None] * self.weight).sum(-1) + self.bias
