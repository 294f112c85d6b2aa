"""Root-mean-square normalisation."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import rms_norm

__all__ = ["RMSNorm"]


class RMSNorm(nn.RMSNorm):
    """x / sqrt(mean(x²) + eps) · weight over the last axis, in float32 whatever the precision of x.

    Parameters
    ----------
    d_model : int
        Channels, the last axis.
    eps : float
        Added to the mean square.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__(d_model, eps=eps)

    def forward(self, x: Float[Tensor, "*batch channel"]) -> Float[Tensor, "*batch channel"]:
        """Normalise each position, and return it in the precision of ``x``."""
        return rms_norm(x.float(), self.normalized_shape, self.weight, self.eps).to(x.dtype)
