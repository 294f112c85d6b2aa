"""Windows that lie together are read together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

__all__ = ["Span", "spans"]


class Span(NamedTuple):
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


def spans(
    starts: Int64[np.ndarray, " n"], length: int, size: int, *, gap: int = 8_192, limit: int = 2_097_152
) -> Iterator[Span]:
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
    Span
        Every base that the windows hold on the chromosome is in the span of each of its windows.
    """
    order = np.argsort(starts, kind="stable")
    order = order[(starts[order] < size) & (starts[order] + length > 0)]
    ordered = starts[order]
    first = 0
    while first < len(order):
        widest = int(np.searchsorted(ordered, ordered[first] + max(limit - length, 0), side="right"))
        apart = np.flatnonzero(np.diff(ordered[first:widest]) > length + gap)
        last = first + int(apart[0]) + 1 if len(apart) else widest
        yield Span(max(int(ordered[first]), 0), min(int(ordered[last - 1]) + length, size), order[first:last])
        first = last
