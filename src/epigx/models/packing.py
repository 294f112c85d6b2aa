"""Removes positions from windows, reads the remaining ones as one sequence, and pools the centre."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

__all__ = ["Packing", "centre_of", "pool_packed"]

Packing = Literal["gene", "batch"]


def centre_of(length: int, central: int) -> slice:
    """Return the slice of the ``central`` middle positions of a window, or of the whole window if it is not longer.

    Examples
    --------
    >>> centre_of(600, 200), centre_of(100, 200)
    (slice(200, 400, None), slice(0, 100, None))
    """
    start = max(0, (length - central) // 2)
    return slice(start, start + min(length, central))


def pool_packed(
    backbone: nn.Module,
    embedded: Float[Tensor, "gene length channel"],
    keep: Bool[Tensor, "gene length"],
    central: int,
    packing: Packing,
) -> Float[Tensor, "gene channel"]:
    """Run a backbone over the kept positions and average the hidden states of the centre, in float32.

    Parameters
    ----------
    backbone : nn.Module
        Sequence network.
    embedded : Float[Tensor, "gene length channel"]
        Embedded windows.
    keep : Bool[Tensor, "gene length"]
        Positions to keep; must include the centre.
    central : int
        Middle positions to average.
    packing : {"gene", "batch"}
        Whether genes are read separately, or as one batch that is zero-padded on the right. With padding, the hidden
        states of a gene depend slightly on the other genes of the batch.
    """
    kept = [window[places] for window, places in zip(embedded, keep, strict=True)]
    if packing == "batch":
        hidden = list(backbone(pad_sequence(kept, batch_first=True)))
    else:
        hidden = [backbone(window[None])[0] for window in kept]
    centre = centre_of(keep.shape[1], central)
    starts = keep[:, : centre.start].sum(1).tolist()
    width = centre.stop - centre.start
    pairs = zip(hidden, starts, strict=True)
    return torch.stack([states[start : start + width].mean(0, dtype=torch.float32) for states, start in pairs])
