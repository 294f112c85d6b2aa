"""Piecewise constant values on a chromosome, and their values in windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

__all__ = ["StepFunction", "max_of_intervals"]


class StepFunction(NamedTuple):
    """A step function on one chromosome: sorted, non-overlapping intervals (0-based, half-open) with a value each."""

    starts: Int64[np.ndarray, " steps"]
    ends: Int64[np.ndarray, " steps"]
    values: Float64[np.ndarray, " steps"]

    def windows(self, starts: Int64[np.ndarray, " n"], length: int, fill: float) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows (0-based, in any order); ``fill`` outside all intervals."""
        first = np.searchsorted(self.ends, starts, side="right")
        count = np.searchsorted(self.starts, starts + length, side="left") - first
        window = np.repeat(np.arange(len(starts)), count)
        step = np.arange(len(window)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        offset = window * length - starts[window]
        left = np.maximum(self.starts[step] + offset, window * length)
        right = np.minimum(self.ends[step] + offset, (window + 1) * length)
        # All windows, concatenated, are runs of: gap, step, gap, step, ..., gap.
        bounds = np.concatenate([[0], np.stack([left, right], axis=1).ravel(), [len(starts) * length]])
        values = np.full(2 * len(step) + 1, fill, dtype=np.float32)
        values[1::2] = self.values[step]
        return np.repeat(values, np.diff(bounds)).reshape(len(starts), length)


def max_of_intervals(
    starts: Int64[np.ndarray, " n"], ends: Int64[np.ndarray, " n"], values: Float64[np.ndarray, " n"]
) -> StepFunction:
    """Make a step function of intervals in any order; where they overlap, the highest value counts.

    Examples
    --------
    >>> max_of_intervals(np.array([0, 5]), np.array([10, 8]), np.array([1.0, 3.0]))
    StepFunction(starts=array([0, 5, 8]), ends=array([ 5,  8, 10]), values=array([1., 3., 1.]))
    """
    order = np.argsort(starts, kind="stable")
    starts, ends, values = starts[order], ends[order], values[order]
    if (starts[1:] >= ends[:-1]).all():
        return StepFunction(starts, ends, values)
    bounds = np.sort(np.concatenate([starts, ends]))
    bounds = bounds[np.concatenate([[True], np.diff(bounds) > 0])]
    first = np.searchsorted(bounds, starts)
    count = np.searchsorted(bounds, ends) - first
    piece = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    tops = np.full(max(len(bounds) - 1, 0), -np.inf)
    np.maximum.at(tops, piece, np.repeat(values, count))
    kept = tops > -np.inf
    return StepFunction(bounds[:-1][kept], bounds[1:][kept], tops[kept])
