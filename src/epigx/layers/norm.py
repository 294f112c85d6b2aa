"""Root-mean-square normalisation, with an optional addition to the residual stream."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.kernels import add_rms_norm

__all__ = ["RMSNorm"]


class RMSNorm(nn.Module):
    """x / sqrt(mean(x²) + eps) · weight over the last axis, in float32 whatever the precision of x."""

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        """Normalise each position; the result has the precision of ``x``."""
        return add_rms_norm(x, None, self.weight, self.eps)[1]

    def add(
        self, x: Float[Tensor, "*batch channel"], residual: Float[Tensor, "*batch channel"]
    ) -> tuple[Float[Tensor, "*batch channel"], Float[Tensor, "*batch channel"]]:
        """Add ``x`` to the residual stream and normalise each position of the sum, in one pass over memory.

        Returns
        -------
        residual : Float[Tensor, "*batch channel"]
            The sum, in at least float32: rounding after each layer would lose small additions to a large stream.
        normed : Float[Tensor, "*batch channel"]
            The normalised sum, in the precision of ``x``.
        """
        return add_rms_norm(x, residual, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Show the sizes in ``print(module)``."""
        return f"{self.weight.shape[0]}, eps={self.eps}"
