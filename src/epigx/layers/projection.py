"""A linear layer for very many rows, with the gradient of its weights made a few of them at a time."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Projection"]

ROWS = 2**15
"""Rows of one product for the gradient. With hundreds of thousands of them, a library's product can be ten times slower
than several of fewer rows."""


class Projection(nn.Linear):
    """x Wᵀ, without a bias.

    On a CPU the gradient of W is a sum over parts of the rows, each a product with the wider factor on the right, which
    is the faster way round; on other devices this is PyTorch's own layer.

    Parameters
    ----------
    n_in, n_out : int
        Channels of the input and of the output.
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out, bias=False)

    def forward(self, x: Float[Tensor, "*position channel"]) -> Float[Tensor, "*position projected"]:
        """Project each position."""
        if x.device.type != "cpu" or not torch.is_grad_enabled():
            return functional.linear(x, self.weight)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        projected: Tensor = _Project.apply(x, self.weight)  # type: ignore[no-untyped-call]
        return projected


class _Project(torch.autograd.Function):
    """Keeps the weights in their own precision, so that their gradient is not rounded to that of x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.linear(x, weight.to(x.dtype))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        (dy,), (x, weight) = gradients, ctx.saved_tensors
        dx = functional.linear(dy, weight.to(dy.dtype).T) if ctx.needs_input_grad[0] else None
        return dx, _weight_gradient(dy, x).to(weight.dtype) if ctx.needs_input_grad[1] else None


def _weight_gradient(dy: Tensor, x: Tensor) -> Tensor:
    dy, x = dy.flatten(0, -2), x.flatten(0, -2)
    wide = dy.shape[1] > x.shape[1]
    left, right = (x, dy) if wide else (dy, x)
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    for first in range(0, len(x), ROWS):
        rows = slice(first, first + ROWS)
        total += left[rows].T @ right[rows]
    return total.T if wide else total
