"""Candidate enhancers, as the ABC model makes them of peaks, and which of them lie around a TSS."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from epigx.errors import InputError
from epigx.genome.tracks.tracks import Track

__all__ = ["CANDIDATE_WIDTH", "Candidates", "activity", "candidates"]

CANDIDATE_WIDTH = 500
"""bp of a candidate around the summit of its peak, as in the ABC model."""

_BLOCK_BYTES = 1 << 25


class Candidates(NamedTuple):
    """Candidate enhancers of one chromosome, which do not overlap, by their centres.

    Attributes
    ----------
    starts, ends : ndarray of int64, shape (n,), bp
        0-based, half-open.
    """

    starts: Int64[np.ndarray, " n"]
    ends: Int64[np.ndarray, " n"]

    @property
    def centers(self) -> Int64[np.ndarray, " n"]:
        """The middle base of each."""
        return np.asarray((self.starts + self.ends) // 2)

    def nearest(self, tss: int, *, count: int, reach: int, promoter: int) -> Int64[np.ndarray, " chosen"]:
        """Return the candidates around a TSS, the nearest first.

        Parameters
        ----------
        tss : int
            0-based TSS.
        count : int
            How many at most.
        reach : int, bp
            Largest distance of a centre from the TSS.
        promoter : int, bp
            Half the width of the promoter ``[tss - promoter, tss + promoter]``, which no candidate overlaps.
        """
        centers = self.centers
        first, last = np.searchsorted(centers, tss - reach), np.searchsorted(centers, tss + reach, side="right")
        near = np.arange(first, last)
        near = near[(self.ends[near] <= tss - promoter) | (self.starts[near] > tss + promoter)]
        return near[np.argsort(np.abs(centers[near] - tss), kind="stable")[:count]]


def candidates(peaks: pd.DataFrame, size: int, longest: int) -> Candidates:
    """Make candidates of the peaks of one chromosome: 500 bp around each summit, merged where they overlap or touch.

    Parameters
    ----------
    peaks : DataFrame
        With ``summit``: what :func:`~.peaks.read_peaks` gives.
    size : int, bp
        Length of the chromosome, on which they are clipped.
    longest : int, bp
        What is longer after merging is cut to its centre ± ``longest / 2``.

    Examples
    --------
    >>> candidates(pd.DataFrame({"summit": [1000, 1400, 5000]}), 5100, 600)
    Candidates(starts=array([ 900, 4750]), ends=array([1500, 5100]))
    """
    summits = np.unique(peaks["summit"].to_numpy(np.int64))
    starts = np.clip(summits - CANDIDATE_WIDTH // 2, 0, size)
    ends = np.clip(summits + CANDIDATE_WIDTH // 2, 0, size)
    new = np.concatenate([[True], starts[1:] > ends[:-1]])[: len(starts)]
    merged = Candidates(starts[new], ends[np.append(new[1:], True)[: len(ends)]])
    left, right = merged.centers - longest // 2, merged.centers + longest // 2
    return Candidates(np.maximum(merged.starts, left), np.minimum(merged.ends, right))


def activity(
    h3k27ac: Track, accessibility: Track, chrom: str, chosen: Candidates, longest: int
) -> Float64[np.ndarray, " n"]:
    """Return the ABC model's activity of each candidate, sqrt(mean H3K27ac · mean accessibility).

    The means are of the tracks' own values, on whose scale it is; bases without a value count as 0.

    Parameters
    ----------
    h3k27ac, accessibility : Track
        The two signals.
    chrom : str
        The chromosome.
    chosen : Candidates
        Of which.
    longest : int, bp
        No candidate is longer.

    Raises
    ------
    InputError
        A track is damaged or lacks the chromosome, or its mean over a candidate is negative.
    """
    product = np.ones(len(chosen.starts))
    for track in (h3k27ac, accessibility):
        mean = _means(track, chrom, chosen, longest)
        if (mean < 0).any():
            place = int(np.argmin(mean))
            raise InputError(
                f"{track.path}: the mean signal over {chrom}:{chosen.starts[place] + 1:,}-{chosen.ends[place]:,} is "
                f"negative ({mean[place]:.3g}), so the element's activity has no root. Give a track of fold change or "
                "counts, not of logarithms."
            )
        product *= mean
    return np.sqrt(product)


def _means(track: Track, chrom: str, chosen: Candidates, longest: int) -> Float64[np.ndarray, " n"]:
    lengths = chosen.ends - chosen.starts
    means = np.empty(len(lengths))
    rows = max(1, _BLOCK_BYTES // (4 * longest))
    for first in range(0, len(lengths), rows):
        part = slice(first, first + rows)
        values = track.windows(chrom, chosen.starts[part], longest)
        values[np.arange(longest) >= lengths[part, None]] = 0
        means[part] = np.nansum(values, axis=1, dtype=np.float64) / np.maximum(lengths[part], 1)
    return means
