"""An embedding of bases from a table of tokens, as language models of DNA have it."""

from __future__ import annotations

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["TokenEmbedding"]


class TokenEmbedding(nn.Embedding):
    """A row for each base and one for N, looked up in the table of the official character tokenizer.

    The table has twelve rows (CLS, SEP, BOS, MASK, PAD, RESERVED, UNK, A, C, G, T, N). A window holds none of the
    first seven tokens, whose rows are therefore never read nor trained. They are kept so that official weights fit
    as they are and the count of parameters is the published one; without them the function would be the same.

    Parameters
    ----------
    d_model : int
        Channels of the embedding.
    """

    no_weight_decay: ClassVar[frozenset[str]] = frozenset({"weight"})
    """Parameters that the optimizer does not decay."""
    TOKENS = 12
    A = 7
    """Row of adenine; C, G, T and N follow."""

    def __init__(self, d_model: int) -> None:
        super().__init__(self.TOKENS, d_model)

    def reset_parameters(self) -> None:
        """Draw the rows from N(0, 0.02²), as the official models do."""
        nn.init.normal_(self.weight, std=0.02)

    def forward(self, sequence: Float[Tensor, "batch length base"]) -> Float[Tensor, "batch length channel"]:
        """Embed one-hot bases; four zeros are N. A mixture of bases has the mixture of their rows."""
        unknown = 1 - sequence.sum(-1, keepdim=True)
        return functional.linear(torch.cat([sequence, unknown], dim=-1), self.weight[self.A :].T)
