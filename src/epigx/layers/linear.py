"""A linear layer whose bias starts at zero."""

from __future__ import annotations

from torch import nn

__all__ = ["Linear"]


class Linear(nn.Linear):
    """PyTorch's linear layer, with its weights as PyTorch draws them and its bias at zero.

    The official models zero the bias of every linear layer after construction, the head's and the encoders' included.
    """

    def reset_parameters(self) -> None:
        """Draw the weights anew and zero the bias."""
        super().reset_parameters()
        if self.bias is not None:
            nn.init.zeros_(self.bias)
