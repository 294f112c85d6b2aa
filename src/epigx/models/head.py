"""The head, which predicts expression from the pooled hidden state and the features of a gene."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.layers.linear import RowwiseLinear

__all__ = ["Head", "centre", "centre_of", "pool_centre"]


class Head(nn.Module):
    """A perceptron with two hidden layers on [pooled, features] (appendix G.1 of the paper).

    It always runs in float32, because bfloat16 would round predictions to steps of 1/64 (docs/decisions/0008).

    Parameters
    ----------
    width : int, optional
        Hidden units; by default ``d_model``, the channels of the pooled hidden state.
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


def centre_of(length: int, central: int) -> slice:
    """Return the slice of the ``central`` middle positions; all of them if it is 0 or the window is not longer.

    Examples
    --------
    >>> centre_of(600, 200), centre_of(100, 200), centre_of(100, 0)
    (slice(200, 400, None), slice(0, 100, None), slice(0, 100, None))
    """
    central = min(central or length, length)
    start = (length - central) // 2
    return slice(start, start + central)


def centre(x: Float[Tensor, "gene length channel"], central: int) -> Float[Tensor, "gene part channel"]:
    """Return the positions of :func:`centre_of`."""
    return x[:, centre_of(x.shape[1], central)]


def pool_centre(hidden: Float[Tensor, "gene length channel"], central: int) -> Float[Tensor, "gene channel"]:
    """Average the hidden states of the positions of :func:`centre_of`, in float32."""
    return centre(hidden, central).mean(dim=1, dtype=torch.float32)
