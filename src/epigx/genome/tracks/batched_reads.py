"""Read neighbouring windows together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped

__all__ = ["BatchedRead", "batched_reads"]


class BatchedRead(NamedTuple):
    """One read of the interval ``[start, end)``, inside the chromosome, that covers the windows ``rows``."""

    start: int
    end: int
    rows: Int64[np.ndarray, " rows"]

    def copy(
        self,
        values: Shaped[np.ndarray, " span"],
        windows: Shaped[np.ndarray, "n length"],
        starts: Int64[np.ndarray, " n"],
    ) -> None:
        """Copy the values that were read into the rows of ``windows`` that this read covers."""
        length = windows.shape[1]
        for row, start in zip(self.rows.tolist(), starts[self.rows].tolist(), strict=True):
            left, right = max(start, self.start), min(start + length, self.end)
            windows[row, left - start : right - start] = values[left - self.start : right - self.start]


def batched_reads(
    starts: Int64[np.ndarray, " n"], length: int, size: int, *, gap: int = 8_192, limit: int = 2_097_152
) -> Iterator[BatchedRead]:
    """Group the windows of one chromosome of ``size`` bp into few reads, sorted by position.

    Each read covers all bases of its windows that are on the chromosome; windows entirely outside are not read.

    Parameters
    ----------
    starts : ndarray of int64, shape (n,)
        0-based starts in any order; windows may overlap and extend beyond the chromosome.
    gap : int, bp
        Windows separated by at most this distance share a read.
    limit : int, bp
        The largest length of a read (unless a single window is longer), which bounds memory.
    """
    order = np.argsort(starts, kind="stable")
    order = order[(starts[order] < size) & (starts[order] + length > 0)]
    ordered = starts[order]
    breaks = np.flatnonzero(np.diff(ordered) > length + gap) + 1
    first = 0
    for end in [*breaks.tolist(), len(order)]:
        while first < end:
            widest = int(ordered[first]) + max(limit - length, 0)
            last = end if ordered[end - 1] <= widest else int(np.searchsorted(ordered, widest, side="right"))
            yield BatchedRead(
                max(int(ordered[first]), 0), min(int(ordered[last - 1]) + length, size), order[first:last]
            )
            first = last
