"""Read neighbouring windows together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped

__all__ = ["BatchedRead", "batched_reads"]


class BatchedRead(NamedTuple):
    """One read that covers several windows.

    Attributes
    ----------
    start, end : int, bp
        The interval to read, inside ``[0, size)``.
    rows : ndarray of int64
        Indices of the windows inside it.
    """

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
    """Group the windows of one chromosome into few reads, sorted by position.

    Parameters
    ----------
    starts : ndarray of int64, shape (n,)
        0-based starts in any order; windows may overlap and extend beyond the chromosome.
    length : int, bp
        The length of every window.
    size : int, bp
        The length of the chromosome. Windows entirely outside it are not read.
    gap : int, bp
        Windows separated by at most this distance share a read.
    limit : int, bp
        The largest length of a read (unless a single window is longer), which bounds memory.

    Yields
    ------
    BatchedRead
        Covers all bases of its windows that are on the chromosome.
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
