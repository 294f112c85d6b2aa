"""Peak calling by a threshold, a minimum length and a maximum gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from epigx.genome.peaks.peaks import no_peaks
from epigx.genome.tracks.step_function import StepFunction
from epigx.genome.tracks.tracks import Track

__all__ = ["PeakRule", "call_peaks", "constant_segments"]

_BLOCK = 1 << 20


class PeakRule(NamedTuple):
    """The parameters of peak calling; the defaults are those of ``macs3 bdgpeakcall``.

    Attributes
    ----------
    cutoff : float
        The lowest value inside a peak, on the scale of the track.
    min_length : int, bp
        The length of the shortest peak.
    max_gap : int, bp
        The largest gap between intervals that are merged into one peak.
    """

    cutoff: float
    min_length: int = 200
    max_gap: int = 30


def call_peaks(track: Track, chrom: str, size: int, rule: PeakRule, *, block: int = _BLOCK) -> pd.DataFrame:
    """Call peaks on one chromosome of ``size`` bp, which the track must have.

    Bases with values of at least ``cutoff`` are merged across gaps of at most ``max_gap``; intervals shorter than
    ``min_length`` are then dropped. This is the rule of ``macs3 bdgpeakcall``: no background is modelled, so only the
    cutoff separates peaks from noise. ``block`` bases are read at a time; the result does not depend on it.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end``, ``signal`` (the highest value) and ``summit`` (the middle of the first interval
        with that value), sorted by start, with the columns of :func:`~.peaks.read_peaks`.
    """
    high = _concatenate([_above(steps, rule.cutoff) for steps in constant_segments(track, chrom, size, block)])
    if not len(high.starts):
        return no_peaks()
    gap = high.starts[1:] - high.ends[:-1]
    first = np.flatnonzero(np.concatenate([[True], gap > rule.max_gap]))
    last = np.append(first[1:], len(high.starts))
    top = np.maximum.reduceat(high.values, first)
    of_top = np.where(high.values == np.repeat(top, last - first), np.arange(len(high.values)), len(high.values))
    summit = np.minimum.reduceat(of_top, first)
    peaks = pd.DataFrame({"start": high.starts[first], "end": high.ends[last - 1], "signal": top})
    peaks["summit"] = (high.starts[summit] + high.ends[summit]) // 2
    peaks.insert(0, "chrom", chrom)
    return peaks[peaks["end"] - peaks["start"] >= rule.min_length].reset_index(drop=True)


def constant_segments(track: Track, chrom: str, size: int, block: int = _BLOCK) -> Iterator[StepFunction]:
    """Yield segments of constant value without gaps, block by block; bases without a value are 0."""
    for start in range(0, size, block):
        length = min(block, size - start)
        values = np.nan_to_num(track.windows(chrom, np.array([start]), length)[0])
        edges = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        yield StepFunction(start + edges, start + np.append(edges[1:], length), values[edges].astype(np.float64))


def _above(steps: StepFunction, cutoff: float) -> StepFunction:
    high = steps.values >= cutoff
    return StepFunction(steps.starts[high], steps.ends[high], steps.values[high])


def _concatenate(segments: list[StepFunction]) -> StepFunction:
    """Concatenate the blocks of a chromosome, and merge segments that were split at block borders."""
    starts, ends, values = (np.concatenate(column) for column in zip(*segments, strict=True))
    new = np.concatenate([[True], (starts[1:] != ends[:-1]) | (values[1:] != values[:-1])])[: len(starts)]
    return StepFunction(starts[new], ends[np.append(new[1:], True)[: len(ends)]], values[new])
