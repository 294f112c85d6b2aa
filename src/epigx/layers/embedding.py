"""A token embedding of bases, as in DNA language models."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["TokenEmbedding"]


class TokenEmbedding(nn.Embedding):
    """Embeds A, C, G, T and N with the token table of the official character tokenizer.

    The table has twelve rows (CLS, SEP, BOS, MASK, PAD, RESERVED, UNK, A, C, G, T, N). Windows never contain the first
    seven tokens, so their rows are neither read nor trained. They are kept so that official weights load unchanged and
    the number of parameters is the published one.
    """

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"weight"})
    """Parameters that the optimizer does not decay."""
    TOKENS = 12
    A = 7
    """Row of adenine; C, G, T and N follow."""

    def __init__(self, d_model: int) -> None:
        super().__init__(self.TOKENS, d_model)

    def reset_parameters(self) -> None:
        """Draw the rows from N(0, 0.02²), as in the official models."""
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, sequence: Float[Tensor, "batch length base"]) -> Float[Tensor, "batch length channel"]:
        """Embed one-hot bases; all zeros is N, and a mixture of bases gives the weighted mean of their rows."""
        unknown = 1 - sequence.sum(-1, keepdim=True)
        return functional.linear(torch.cat([sequence, unknown], dim=-1), self.weight[self.A :].T)
