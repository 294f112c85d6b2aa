"""Peak calling by a threshold, a minimum length and a maximum gap: built in, or with MACS3 if it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd

from epigx.errors import InputError
from epigx.genome.peaks.peaks import no_peaks, read_peaks
from epigx.genome.tracks.step_function import StepFunction
from epigx.genome.tracks.tracks import Track

__all__ = ["MACS3_IS_MISSING", "PeakRule", "call_peaks", "call_peaks_with_macs3", "constant_segments", "find_macs3"]

_BLOCK = 1 << 20

MACS3_IS_MISSING = "MACS3 is not installed. Install it (pip install 'epigx[peaks]'), or use `caller: threshold`."


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


def find_macs3() -> Path | None:
    """Return the program ``macs3`` of this Python environment, or else the one in ``PATH``."""
    in_environment = shutil.which("macs3", path=str(Path(sys.executable).parent))
    found = in_environment or shutil.which("macs3")
    return Path(found) if found else None


def call_peaks_with_macs3(track: Track, chrom: str, size: int, rule: PeakRule) -> pd.DataFrame:
    """Call peaks on one chromosome with ``macs3 bdgpeakcall``.

    Parameters and result are the same as for :func:`call_peaks`, except that ``signal`` is 0. It is an
    ``InputError`` if MACS3 is not installed or fails.
    """
    program = find_macs3()
    if program is None:
        raise InputError(MACS3_IS_MISSING)
    with TemporaryDirectory(prefix="epigx-peaks-") as folder:
        values, called = Path(folder, "track.bedGraph"), Path(folder, "called.narrowPeak")
        _write_bedgraph(values, track, chrom, size)
        options = {"-i": values, "-o": called, "-c": rule.cutoff, "-l": rule.min_length, "-g": rule.max_gap}
        arguments = [str(argument) for option in options.items() for argument in option]
        run = subprocess.run([program, "bdgpeakcall", *arguments, "--no-trackline"], capture_output=True, text=True)
        if run.returncode or not called.is_file():
            message = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(f"{track.path}: macs3 bdgpeakcall failed on {chrom}: {message}")
        if not called.stat().st_size:
            return no_peaks()
        return read_peaks(called)


def _write_bedgraph(path: Path, track: Track, chrom: str, size: int) -> None:
    # Without gaps, because MACS3 fills a gap with the value that follows it.
    with path.open("w", newline="\n") as file:
        for steps in constant_segments(track, chrom, size):
            rows = zip(steps.starts.tolist(), steps.ends.tolist(), steps.values.tolist(), strict=True)
            file.writelines(f"{chrom}\t{start}\t{end}\t{value!r}\n" for start, end, value in rows)
