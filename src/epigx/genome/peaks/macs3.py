"""Peaks of a track as MACS3 calls them, where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from epigx.errors import InputError
from epigx.genome.peaks.peak_calling import PeakRule, constant_segments
from epigx.genome.peaks.peaks import no_peaks, read_peaks
from epigx.genome.tracks.tracks import Track

__all__ = ["MACS3_IS_MISSING", "call_peaks_with_macs3", "find_macs3"]

MACS3_IS_MISSING = "MACS3 is not installed. Install it (pip install 'epigx[peaks]'), or choose caller: threshold."


def find_macs3() -> Path | None:
    """Return the program ``macs3``: that of this Python environment, or else that of the search path."""
    beside = shutil.which("macs3", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("macs3")
    return Path(found) if found else None


def call_peaks_with_macs3(track: Track, chrom: str, size: int, rule: PeakRule) -> pd.DataFrame:
    """Call peaks on one chromosome by ``macs3 bdgpeakcall``.

    Parameters and result are those of :func:`~.peak_calling.call_peaks`, but for ``signal``, which MACS3 leaves at 0.

    Raises
    ------
    InputError
        MACS3 is not installed or fails, or the track is damaged.
    """
    program = find_macs3()
    if program is None:
        raise InputError(MACS3_IS_MISSING)
    with TemporaryDirectory(prefix="epigx-peaks-") as folder:
        values, called = Path(folder, "track.bedGraph"), Path(folder, "called.narrowPeak")
        _write_bedgraph(values, track, chrom, size)
        options = {"-i": values, "-o": called, "-c": rule.cutoff, "-l": rule.min_length, "-g": rule.max_gap}
        words = [str(word) for option in options.items() for word in option]
        run = subprocess.run([program, "bdgpeakcall", *words, "--no-trackline"], capture_output=True, text=True)
        if run.returncode or not called.is_file():
            said = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise InputError(f"{track.path}: macs3 bdgpeakcall failed on {chrom}: {said}")
        if not called.stat().st_size:
            return no_peaks()
        return read_peaks(called)


def _write_bedgraph(path: Path, track: Track, chrom: str, size: int) -> None:
    # Without gaps: MACS3 gives the bases of a gap the value that follows it.
    with path.open("w", newline="\n") as file:
        for steps in constant_segments(track, chrom, size):
            rows = zip(steps.starts.tolist(), steps.ends.tolist(), steps.values.tolist(), strict=True)
            file.writelines(f"{chrom}\t{start}\t{end}\t{value!r}\n" for start, end, value in rows)
