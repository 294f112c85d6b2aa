"""From a gene's pooled hidden state and its features to expression."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.layers.linear import Linear

__all__ = ["Head", "pool_centre"]


class Head(nn.Module):
    """A perceptron with two hidden layers on [pooled, features] (appendix G.1 of the paper).

    It runs in float32 also where the network runs in bfloat16, so that predictions are not rounded to steps of
    1/64 (docs/decisions/0008).

    Parameters
    ----------
    d_model : int
        Channels of the pooled hidden state, and units of each hidden layer.
    n_features : int
        Features per gene.
    """

    def __init__(self, d_model: int, n_features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Linear(d_model + n_features, d_model),
            nn.ReLU(),
            Linear(d_model, d_model),
            nn.ReLU(),
            Linear(d_model, 1),
        )

    def forward(
        self, pooled: Float[Tensor, "gene channel"], features: Float[Tensor, "gene feature"]
    ) -> Float[Tensor, " gene"]:
        """Return one expression per gene."""
        with torch.autocast(pooled.device.type, enabled=False):
            expression: Tensor = self.layers(torch.cat([pooled.float(), features.float()], dim=-1))
        return expression.squeeze(-1)


def pool_centre(hidden: Float[Tensor, "gene length channel"], central: int) -> Float[Tensor, "gene channel"]:
    """Average the hidden states of the window's central bases, in float32.

    Parameters
    ----------
    hidden : Float[Tensor, "gene length channel"]
        Hidden state of each base.
    central : int, bp
        Bases to average; 0 means all. A window that is not longer is averaged whole.
    """
    length = hidden.shape[1]
    if 0 < central < length:
        start = (length - central) // 2
        hidden = hidden[:, start : start + central]
    return hidden.mean(dim=1, dtype=torch.float32)
