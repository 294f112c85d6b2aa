"""Genes a bounded number at a time, so that a build's memory does not grow with the windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["BLOCK_BYTES", "blocks", "places"]

BLOCK_BYTES = 2**25
"""Bytes of one signal, as float32, that are held at a time."""


def blocks(genes: pd.DataFrame, window: int) -> Iterator[tuple[int, pd.DataFrame]]:
    """Cut genes into blocks whose windows fit in the memory allowed; yield each with the place of its first gene."""
    size = max(1, BLOCK_BYTES // (4 * window))
    for first in range(0, len(genes), size):
        yield first, genes.iloc[first : first + size]


def places(genes: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the TSSs, int64 (gene,), and the strands, str (gene,)."""
    return genes["tss"].to_numpy(np.int64), genes["strand"].to_numpy(object)
