"""Candidate enhancers from peaks, as in the ABC model, their selection around a TSS, and activity."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from epigx.errors import InputError
from epigx.genome.tracks.tracks import Track

__all__ = ["CANDIDATE_WIDTH", "Candidates", "activity", "candidates", "promoter_activity"]

CANDIDATE_WIDTH = 500
"""Length in bp of a candidate around the summit of a peak, as in the ABC model."""

_BLOCK_BYTES = 1 << 25


class Candidates(NamedTuple):
    """Candidate enhancers of one chromosome (0-based, half-open); they do not overlap and are sorted."""

    starts: Int64[np.ndarray, " n"]
    ends: Int64[np.ndarray, " n"]

    @property
    def centers(self) -> Int64[np.ndarray, " n"]:
        """The 0-based centre of each candidate, shape (n,)."""
        return np.asarray((self.starts + self.ends) // 2)

    def nearest(self, tss: int, *, count: int, reach: int, promoter: int) -> Int64[np.ndarray, " chosen"]:
        """Return the indices of at most ``count`` candidates around a TSS (0-based), the nearest first.

        Their centres are at most ``reach`` bp away, and they do not overlap the promoter
        ``[tss - promoter, tss + promoter]``.
        """
        centers = self.centers
        first, last = np.searchsorted(centers, tss - reach), np.searchsorted(centers, tss + reach, side="right")
        near = np.arange(first, last)
        near = near[(self.ends[near] <= tss - promoter) | (self.starts[near] > tss + promoter)]
        return near[np.argsort(np.abs(centers[near] - tss), kind="stable")[:count]]


def candidates(peaks: pd.DataFrame, size: int, longest: int) -> Candidates:
    """Make candidates from the peaks of one chromosome: 500 bp around each summit, merged if they overlap or touch.

    They are clipped to the chromosome, of ``size`` bp. After merging, those longer than ``longest`` bp are cropped to
    centre ± ``longest / 2``.

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
    """Return the activity of each candidate as in the ABC model, sqrt(mean H3K27ac · mean accessibility).

    It is on the scale of the tracks; bases without a value count as 0. Candidates are at most ``longest`` bp long.

    Raises
    ------
    InputError
        A track is damaged or lacks the chromosome, or its mean over a candidate is negative.
    """
    product = np.ones(len(chosen.starts))
    for track in (h3k27ac, accessibility):
        mean = _means(track, chrom, chosen, longest)
        if (mean < 0).any():
            lowest = int(np.argmin(mean))
            raise InputError(
                f"{track.path}: the mean signal over {chrom}:{chosen.starts[lowest] + 1:,}-{chosen.ends[lowest]:,} is "
                f"negative ({mean[lowest]:.3g}), so the activity cannot be computed. "
                "Use a track of fold change or counts, not of logarithms."
            )
        product *= mean
    return np.sqrt(product)


def promoter_activity(
    h3k27ac: Track, accessibility: Track, chrom: str, tss: Int64[np.ndarray, " n"], half: int = 500
) -> Float32[np.ndarray, " n"]:
    """Return the :func:`activity` of ``[tss - half, tss + half)``, with 0-based TSSs.

    This is the promoter activity of the ABC model, with the mean signal of the tracks instead of reads per million.
    """
    promoters = Candidates(np.asarray(tss) - half, np.asarray(tss) + half)
    return activity(h3k27ac, accessibility, chrom, promoters, 2 * half).astype(np.float32)


def _means(track: Track, chrom: str, chosen: Candidates, longest: int) -> Float64[np.ndarray, " n"]:
    lengths = chosen.ends - chosen.starts
    means = np.empty(len(lengths))
    rows = max(1, _BLOCK_BYTES // (4 * longest))
    for first in range(0, len(lengths), rows):
        block = slice(first, first + rows)
        values = track.windows(chrom, chosen.starts[block], longest)
        values[np.arange(longest) >= lengths[block, None]] = 0
        means[block] = np.nansum(values, axis=1, dtype=np.float64) / np.maximum(lengths[block], 1)
    return means
