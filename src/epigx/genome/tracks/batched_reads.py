"""Windows that lie together are read together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Shaped

__all__ = ["BatchedRead", "batched_reads"]


class BatchedRead(NamedTuple):
    """One read that serves several windows.

    Attributes
    ----------
    start, end : int, bp
        What to read; inside ``[0, size)``.
    rows : ndarray of int64
        The windows that lie in it: indices into the starts that were asked for.
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
        """Copy what was read to the span's windows, of all those that begin at `starts`."""
        length = windows.shape[1]
        for row, start in zip(self.rows.tolist(), starts[self.rows].tolist(), strict=True):
            left, right = max(start, self.start), min(start + length, self.end)
            windows[row, left - start : right - start] = values[left - self.start : right - self.start]


def batched_reads(
    starts: Int64[np.ndarray, " n"], length: int, size: int, *, gap: int = 8_192, limit: int = 2_097_152
) -> Iterator[BatchedRead]:
    """Group the windows of one chromosome into few reads, in the order of the chromosome.

    Parameters
    ----------
    starts : ndarray of int64, shape (n,)
        0-based starts in any order; windows may overlap and reach past the chromosome's ends.
    length : int, bp
        The length of every window.
    size : int, bp
        The chromosome's length. Windows wholly outside it belong to no span.
    gap : int, bp
        Windows at most this far apart share a read.
    limit : int, bp
        A read is at most this long (or one window, if that is longer), which bounds the memory.

    Yields
    ------
    BatchedRead
        Every base that the windows hold on the chromosome is in the span of each of its windows.
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
