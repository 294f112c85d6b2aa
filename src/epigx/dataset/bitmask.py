"""Masks of windows, stored as eight bases per byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["n_bytes", "pack", "unpack"]


def n_bytes(length: int) -> int:
    """Return the number of bytes of a mask of ``length`` bases."""
    return -(-length // 8)


def pack(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack masks, bool (gene, length) to uint8 (gene, bytes)."""
    return np.packbits(mask, axis=1, bitorder="little")


def unpack(bits: NDArray[np.uint8], rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
    """Unpack a crop of some masks, bool (row, crop), reading only the bytes of the crop.

    Examples
    --------
    >>> bits = pack(np.arange(20)[None] == 9)
    >>> unpack(bits, np.array([0]), slice(8, 12))
    array([[False,  True, False, False]])
    """
    first = crop.start // 8
    bases = np.unpackbits(bits[rows, first : n_bytes(crop.stop)], axis=1, bitorder="little")
    return bases[:, crop.start - 8 * first : crop.stop - 8 * first].astype(np.bool_)
