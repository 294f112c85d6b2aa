"""Attention pooling over pairs of neighbouring positions."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["AttentionPool"]


class AttentionPool(nn.Module):
    """Weighted mean over pairs of neighbouring positions, with weights per channel from a softmax (Enformer).

    The projection is initialised to twice the identity, between mean and maximum pooling. With an odd number of
    positions, the last one is kept as it is.

    Parameters
    ----------
    d_model : int
        Channels.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.logits = nn.Linear(d_model, d_model, bias=False)
        with torch.no_grad():
            self.logits.weight.copy_(2 * torch.eye(d_model))

    def forward(self, x: Float[Tensor, "batch channel length"]) -> Float[Tensor, "batch channel half"]:
        """Halve the number of positions, rounded up."""
        logits: Tensor = self.logits(x.transpose(1, 2)).transpose(1, 2)
        if x.shape[-1] % 2:
            x = functional.pad(x, (0, 1))
            logits = functional.pad(logits, (0, 1), value=float("-inf"))
        pairs, weights = torch.unflatten(x, -1, (-1, 2)), torch.unflatten(logits, -1, (-1, 2)).softmax(dim=-1)
        return (pairs * weights).sum(dim=-1)
