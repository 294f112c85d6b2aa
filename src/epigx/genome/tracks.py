"""Signals along the genome: bigWig, bedGraph and narrowPeak files as windows of per-base values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from epigx.errors import InputError, did_you_mean
from epigx.genome.chromosomes import match_chromosome, require_chromosome
from epigx.genome.rows import Column, check_intervals, read_rows
from epigx.genome.spans import spans
from epigx.genome.steps import Steps, highest

__all__ = ["Track", "TrackKind", "TrackSurvey", "open_track"]

TrackKind = Literal["bigwig", "bedgraph", "narrowpeak"]


class TrackSurvey(NamedTuple):
    """What a track holds on some chromosomes, at a glance.

    Attributes
    ----------
    covered_bases : int, bp
        Bases with a value.
    mean, maximum : float
        Over the covered bases; NaN when there are none.
    nan_bases : int, bp
        Bases without a value, up to the chromosome's end (up to the last interval where the format does not know it).
    negative : bool
        Whether any value lies below zero.
    """

    covered_bases: int
    mean: float
    maximum: float
    nan_bases: int
    negative: bool


class Track(Protocol):
    """A signal along the genome.

    A track holds an open file or the file's intervals; it can be sent to another process, which opens it anew.

    Attributes
    ----------
    path : Path
        The file.
    chromosomes : dict of str to int or None
        The chromosomes by the file's names, with their length in bp (``None``: the format does not know it).
    """

    path: Path
    chromosomes: dict[str, int | None]

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows on one chromosome.

        Parameters
        ----------
        chrom : str
            The chromosome as the genes name it (``chr1`` finds ``1``).
        starts : ndarray of int64, shape (n,)
            0-based starts of the windows, in any order; they may reach past the chromosome's ends.
        length : int, bp
            The length of every window.

        Returns
        -------
        ndarray of float32, shape (n, length)
            NaN where the file has no value and outside the chromosome.

        Raises
        ------
        InputError
            The file is damaged, or (bigWig, which lists its chromosomes) has no such chromosome.
        """
        ...

    def survey(self, chroms: Iterable[str]) -> TrackSurvey:
        """Sum up what the track holds on some chromosomes; those that it lacks count for nothing."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_track(path: str | Path, kind: TrackKind) -> Track:
    """Open a signal file.

    Parameters
    ----------
    path : str or Path
        The file; text kinds may be gzipped.
    kind : {"bigwig", "bedgraph", "narrowpeak"}
        Its format. A narrowPeak's value is its signalValue (column 7), the highest one where peaks overlap.

    Raises
    ------
    InputError
        The file is missing, damaged, empty, or not of that kind.
    """
    match kind:
        case "bigwig":
            return _BigWig(Path(path))
        case "bedgraph":
            return _Intervals(Path(path), "a bedGraph", Column(3, float))
        case "narrowpeak":
            return _Intervals(Path(path), "a narrowPeak", Column(6, float))
    raise InputError(f"{path}: unknown kind of track {kind!r}.{did_you_mean(str(kind), get_args(TrackKind))}")


class _BigWig:
    """A bigWig, read in spans of neighbouring windows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = _open_bigwig(path)
        self.chromosomes: dict[str, int | None] = dict(self._reader.chroms())

    def __reduce__(self) -> tuple[type[_BigWig], tuple[Path]]:
        return _BigWig, (self.path,)

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        name = require_chromosome(chrom, self.chromosomes, self.path)
        size = self.chromosomes[name] or 0
        windows = np.full((len(starts), length), np.nan, dtype=np.float32)
        for span in spans(starts, length, size):
            values = self._values(name, span.start, span.end)
            for row in span.rows:
                left = max(int(starts[row]), 0)
                right = min(int(starts[row]) + length, size)
                window = values[left - span.start : right - span.start]
                windows[row, left - int(starts[row]) : right - int(starts[row])] = window
        return windows

    def survey(self, chroms: Iterable[str]) -> TrackSurvey:
        names = [name for name in (match_chromosome(chrom, self.chromosomes) for chrom in chroms) if name]
        parts = [(self.chromosomes[name] or 0, *self._summary(name)) for name in names]
        return _combine(parts)

    def close(self) -> None:
        self._reader.close()

    def _values(self, name: str, start: int, end: int, **options: Any) -> np.ndarray:
        try:
            values = self._reader.values(name, start, end, fillna=None, **options)
        except Exception as error:  # the reader raises plain errors of several types for a damaged file
            raise InputError(
                f"{self.path} cannot be read at {name}:{start + 1:,}-{end:,}: {error}. "
                "The file is damaged or cut off; fetch it again."
            ) from None
        return np.asarray(values)

    def _summary(self, name: str) -> tuple[float, float, float, float]:
        """Return covered bases, sum, maximum and minimum of a chromosome, from the file's zoom levels."""
        size = self.chromosomes[name] or 0
        covered, total, maximum, minimum = (
            float(self._values(name, 0, size, bins=1, summary=summary)[0])
            for summary in ("bases_covered", "sum", "max", "min")
        )
        return covered, total, maximum, minimum


class _Intervals:
    """A bedGraph or narrowPeak, held as one step function per chromosome."""

    def __init__(self, path: Path, what: str, value: Column) -> None:
        self.path = path
        self._arguments = (path, what, value)
        rows = read_rows(
            path, {"chrom": Column(0, str), "start": Column(1, int), "end": Column(2, int), "value": value}, what=what
        )
        check_intervals(rows, path)
        if what == "a bedGraph":
            _refuse_overlaps(rows, path)
        self._steps = {
            str(chrom): highest(*(group[name].to_numpy() for name in ("start", "end", "value")))
            for chrom, group in rows.groupby("chrom", sort=False)
        }
        self.chromosomes: dict[str, int | None] = dict.fromkeys(self._steps)

    def __reduce__(self) -> tuple[type[_Intervals], tuple[Path, str, Column]]:
        return _Intervals, self._arguments

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        # Such a file does not list its chromosomes: one without an interval is simply absent.
        name = match_chromosome(chrom, self._steps)
        if name is None:
            return np.full((len(starts), length), np.nan, dtype=np.float32)
        return self._steps[name].windows(np.asarray(starts, dtype=np.int64), length, np.nan)

    def survey(self, chroms: Iterable[str]) -> TrackSurvey:
        names = [name for name in (match_chromosome(chrom, self._steps) for chrom in chroms) if name]
        return _combine([_sum_up(self._steps[name]) for name in names])

    def close(self) -> None:
        self._steps = {}


def _open_bigwig(path: Path) -> Any:
    import pybigtools

    if not path.is_file():
        raise InputError(f"{path} does not exist. Check its path.")
    try:
        return pybigtools.open(str(path))
    except Exception as error:
        raise InputError(f"{path} is not a bigWig, or is damaged: {str(error).rstrip('.')}. Fetch it again.") from None


def _refuse_overlaps(rows: pd.DataFrame, path: Path) -> None:
    ordered = rows.sort_values(["chrom", "start"], kind="stable")
    same = ordered["chrom"].to_numpy()[1:] == ordered["chrom"].to_numpy()[:-1]
    overlap = same & (ordered["start"].to_numpy()[1:] < ordered["end"].to_numpy()[:-1])
    if overlap.any():
        earlier, later = (int(ordered["line"].iloc[int(np.argmax(overlap)) + step]) for step in (0, 1))
        raise InputError(
            f"{path}, line {later}: the interval overlaps that of line {earlier}. "
            "A bedGraph has one value per base; merge the intervals first."
        )


def _sum_up(steps: Steps) -> tuple[int, float, float, float, float]:
    widths = steps.ends - steps.starts
    total = float((widths * steps.values).sum())
    return int(steps.ends[-1]), float(widths.sum()), total, float(steps.values.max()), float(steps.values.min())


def _combine(parts: list[tuple[int, float, float, float, float]]) -> TrackSurvey:
    """Join (length, covered, sum, maximum, minimum) of several chromosomes."""
    held = [part for part in parts if part[1]]
    length, covered = sum(part[0] for part in parts), int(sum(part[1] for part in held))
    return TrackSurvey(
        covered_bases=covered,
        mean=sum(part[2] for part in held) / covered if covered else float("nan"),
        maximum=max((part[3] for part in held), default=float("nan")),
        nan_bases=length - covered,
        negative=any(part[4] < 0 for part in held),
    )
