"""Linear layers by the kernel in use."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx import kernels

__all__ = ["Linear", "Projection", "RowwiseLinear", "autocast_enabled"]


def autocast_enabled(device: torch.device) -> bool:
    """Say whether autocast is on for a device; some kinds, such as meta, have none."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


class Linear(nn.Linear):
    """PyTorch's linear layer, with its weights as PyTorch draws them and its bias at zero.

    The official models zero the bias of every linear layer after construction, the head's and the encoders' included.
    """

    def reset_parameters(self) -> None:
        """Draw the weights anew and zero the bias."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "*position channel"]) -> Float[Tensor, "*position unit"]:
        """Multiply each position by the weights, and add the bias; in the precision of autocast where that is on."""
        if autocast_enabled(x.device) and x.dtype != torch.float64:
            x = x.to(torch.get_autocast_dtype(x.device.type))
        return kernels.linear(x, self.weight, self.bias)


class Projection(Linear):
    """x Wᵀ, without a bias, for very many rows.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the input and of the output.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, bias=False)


class RowwiseLinear(Linear):
    """The same for few rows, each computed by itself.

    A library's matrix product rounds a row differently beside few other rows and beside many, so that a prediction
    would depend on how many are made at a time.
    """

    def forward(self, x: Float[Tensor, "row channel"]) -> Float[Tensor, "row unit"]:
        """Multiply each row by the weights, and add the bias."""
        return (x[:, None] * self.weight).sum(-1) + self.bias
