"""Which way a window is read: along the genome, as the paper does, or along the gene."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Orient", "turned", "window_starts"]

Orient = Literal["genome", "strand"]
"""``genome``: every window is read on the plus strand; ``strand``: minus-strand genes are read on theirs."""


def turned(strand: NDArray[np.object_], orient: Orient) -> NDArray[np.bool_]:
    """Tell which genes' windows are read on the minus strand, bool (gene,)."""
    return np.asarray((strand == "-") & (orient == "strand"), np.bool_)


def window_starts(
    tss: NDArray[np.int64], strand: NDArray[np.object_], length: int, orient: Orient
) -> NDArray[np.int64]:
    """Return the first base of each gene's window on the genome.

    The TSS is at index ``length // 2`` of every window as it is read, so that windows of any length share a centre. A
    window of even length that is read backwards starts one base later for that: it is (tss − L/2, tss + L/2].

    Parameters
    ----------
    tss : ndarray of int64, (gene,)
        0-based TSS bases.
    strand : ndarray of str, (gene,)
        ``"+"`` or ``"-"``.
    length : int, bp
        Window length, even.
    orient : Orient
        Which way windows are read.

    Returns
    -------
    ndarray of int64, (gene,)
        May be negative near a chromosome's start.
    """
    return tss - length // 2 + turned(strand, orient)
