"""The head, which predicts expression from the pooled hidden state and the features of a gene."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.layers.linear import RowwiseLinear

__all__ = ["Head", "centre", "pool_centre"]


class Head(nn.Module):
    """A perceptron with two hidden layers on [pooled, features] (appendix G.1 of the paper).

    It always runs in float32, because bfloat16 would round predictions to steps of 1/64 (docs/decisions/0008).

    Parameters
    ----------
    d_model : int
        Channels of the pooled hidden state.
    n_features : int
        Features per gene.
    width : int, optional
        Hidden units; by default ``d_model``.
    """

    def __init__(self, d_model: int, n_features: int, width: int | None = None) -> None:
        super().__init__()
        width = width or d_model
        self.layers = nn.Sequential(
            RowwiseLinear(d_model + n_features, width),
            nn.ReLU(),
            RowwiseLinear(width, width),
            nn.ReLU(),
            RowwiseLinear(width, 1),
        )

    def forward(
        self, pooled: Float[Tensor, "gene channel"], features: Float[Tensor, "gene feature"]
    ) -> Float[Tensor, " gene"]:
        """Return one expression per gene."""
        with torch.autocast(pooled.device.type, enabled=False):
            expression: Tensor = self.layers(torch.cat([pooled.float(), features.float()], dim=-1))
        return expression.squeeze(-1)


def centre(x: Float[Tensor, "gene length channel"], central: int) -> Float[Tensor, "gene part channel"]:
    """Return the central positions; all of them if ``central`` is 0 or the window is not longer."""
    length = x.shape[1]
    if not 0 < central < length:
        return x
    start = (length - central) // 2
    return x[:, start : start + central]


def pool_centre(hidden: Float[Tensor, "gene length channel"], central: int) -> Float[Tensor, "gene channel"]:
    """Average the hidden states of the window's central positions, in float32.

    Parameters
    ----------
    hidden : Float[Tensor, "gene length channel"]
        Hidden state of each position.
    central : int
        Positions to average; 0 for all. Shorter windows are averaged completely.
    """
    return centre(hidden, central).mean(dim=1, dtype=torch.float32)
