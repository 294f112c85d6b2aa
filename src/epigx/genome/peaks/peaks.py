"""Peaks of accessibility or a histone mark (narrowPeak, BED), as a table and as masks of windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from epigx.genome.bed import Column, check_intervals, read_bed
from epigx.genome.chromosomes import match_chromosome
from epigx.genome.tracks.step_function import max_of_intervals

__all__ = ["Peaks", "no_peaks", "on_chromosome", "read_peaks"]


def read_peaks(path: str | Path) -> pd.DataFrame:
    """Read peaks: narrowPeak or BED with three or more columns, plain or gzipped.

    Returns
    -------
    DataFrame
        ``chrom``, ``start``, ``end`` (int64, 0-based, half-open), ``signal`` (float64, the signalValue in column 7 of a
        narrowPeak; NaN if missing) and ``summit`` (int64, ``start`` plus column 10; the middle of the peak if that is
        missing or -1); in the order of the file.

    Raises
    ------
    InputError
        The file cannot be read, has no peaks, or has a line that is not an interval.
    """
    rows = read_bed(
        path,
        {
            "chrom": Column(0, str),
            "start": Column(1, int),
            "end": Column(2, int),
            "signal": Column(6, float, optional=True),
            "summit": Column(9, int, optional=True),
        },
        what="a narrowPeak or BED",
    )
    check_intervals(rows, path)
    middle = (rows["start"] + rows["end"]) // 2
    offset = rows["summit"].where(rows["summit"] >= 0)
    rows["summit"] = (rows["start"] + offset).fillna(middle).astype(np.int64)
    return rows[["chrom", "start", "end", "signal", "summit"]]


def no_peaks() -> pd.DataFrame:
    """Return an empty table of peaks."""
    kinds = {"chrom": "object", "start": "int64", "end": "int64", "signal": "float64", "summit": "int64"}
    return pd.DataFrame({name: [] for name in kinds}).astype(kinds)


def on_chromosome(peaks: pd.DataFrame, chrom: str) -> pd.DataFrame:
    """Return the peaks of one chromosome, which may have another name in the table (``1`` for ``chr1``)."""
    return peaks[peaks["chrom"] == match_chromosome(chrom, list(peaks["chrom"].unique()))]


class Peaks:
    """Peaks (see :func:`read_peaks`) as masks: whether each base is in a peak. Peaks may overlap."""

    def __init__(self, peaks: pd.DataFrame) -> None:
        self._steps = {
            str(chrom): max_of_intervals(group["start"].to_numpy(), group["end"].to_numpy(), np.ones(len(group)))
            for chrom, group in peaks.groupby("chrom", sort=False)
        }
        self.chromosomes: dict[str, int | None] = dict.fromkeys(self._steps)

    def mask(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Bool[np.ndarray, "n length"]:
        """Return whether each base of some windows, with 0-based starts in any order, is in a peak.

        A chromosome without peaks, under any of its names, gives no bases.
        """
        name = match_chromosome(chrom, self._steps)
        if name is None:
            return np.zeros((len(starts), length), dtype=np.bool_)
        return self._steps[name].windows(np.asarray(starts, dtype=np.int64), length, 0.0) > 0
