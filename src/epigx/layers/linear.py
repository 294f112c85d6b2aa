"""Linear layers whose bias starts at zero."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Linear", "RowwiseLinear"]


class Linear(nn.Linear):
    """PyTorch's linear layer, with its weights as PyTorch draws them and its bias at zero.

    The official models zero the bias of every linear layer after construction, the head's and the encoders' included.
    """

    def reset_parameters(self) -> None:
        """Draw the weights anew and zero the bias."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class RowwiseLinear(Linear):
    """The same for few rows, each computed by itself.

    A library's matrix product rounds a row differently beside few other rows and beside many, so that a prediction
    would depend on how many are made at a time.
    """

    def forward(self, x: Float[Tensor, "row channel"]) -> Float[Tensor, "row unit"]:
        """Multiply each row by the weights, and add the bias."""
        return (x[:, None] * self.weight).sum(-1) + self.bias
