"""Signals in text files of intervals (bedGraph, narrowPeak), kept as one step function per chromosome."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from epigx.errors import InputError
from epigx.genome.bed import Column, check_intervals, read_bed
from epigx.genome.chromosomes import find_chromosome, match_chromosome
from epigx.genome.tracks.step_function import max_of_intervals
from epigx.genome.tracks.tracks import TrackSummary

__all__ = ["IntervalTrack", "open_bedgraph", "open_narrowpeak"]


def open_bedgraph(path: Path) -> IntervalTrack:
    """Read a bedGraph: chrom, start, end, value. Overlapping intervals are an ``InputError``."""
    rows = _read(path, value=3, what="a bedGraph")
    _refuse_overlaps(rows, path)
    return IntervalTrack(path, rows)


def open_narrowpeak(path: Path) -> IntervalTrack:
    """Read a narrowPeak. The value is the signalValue (column 7), and the highest one where peaks overlap."""
    return IntervalTrack(path, _read(path, value=6, what="a narrowPeak"))


class IntervalTrack:
    """A track of intervals (see :class:`~.tracks.Track`).

    ``rows`` has ``chrom``, ``start``, ``end`` and ``value``; where intervals overlap, the highest value counts.
    """

    def __init__(self, path: Path, rows: pd.DataFrame) -> None:
        self.path = path
        self._steps = {
            str(chrom): max_of_intervals(*(group[name].to_numpy() for name in ("start", "end", "value")))
            for chrom, group in rows.groupby("chrom", sort=False)
        }
        self.chromosomes: dict[str, int | None] = dict.fromkeys(self._steps)

    def __repr__(self) -> str:
        return f"IntervalTrack({str(self.path)!r})"

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows (see :meth:`~.tracks.Track.windows`)."""
        starts = np.asarray(starts, dtype=np.int64)
        # These formats do not list chromosomes, so one without an interval is not an error.
        name = find_chromosome(chrom, self._steps, self.path)
        if name is None:
            return np.full((len(starts), length), np.nan, dtype=np.float32)
        return self._steps[name].windows(starts, length, np.nan)

    def summary(self, chroms: Iterable[str]) -> TrackSummary:
        """Summarize the values on some chromosomes (see :meth:`~.tracks.Track.summary`)."""
        names = (match_chromosome(chrom, self._steps) for chrom in chroms)
        steps = [self._steps[name] for name in names if name]
        return TrackSummary.combine(
            TrackSummary(int((each.ends - each.starts).sum()), float(each.values.max()), bool(each.values.min() < 0))
            for each in steps
        )


def _read(path: Path, *, value: int, what: str) -> pd.DataFrame:
    columns = {
        "chrom": Column(0, str),
        "start": Column(1, int),
        "end": Column(2, int),
        "value": Column(value, float),
    }
    rows = read_bed(path, columns, what=what)
    check_intervals(rows, path)
    return rows


def _refuse_overlaps(rows: pd.DataFrame, path: Path) -> None:
    ordered = rows.sort_values(["chrom", "start"], kind="stable")
    chrom, start, end = (ordered[name].to_numpy() for name in ("chrom", "start", "end"))
    overlap = (chrom[1:] == chrom[:-1]) & (start[1:] < end[:-1])
    if overlap.any():
        first = int(np.argmax(overlap))
        earlier, later = sorted(ordered["line"].iloc[first : first + 2])
        raise InputError(
            f"{path}, line {later}: the interval overlaps the one in line {earlier}. "
            "A bedGraph has one value per base; merge the intervals first."
        )
