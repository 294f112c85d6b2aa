"""Peak calling with MACS3, if it is installed."""

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

MACS3_IS_MISSING = "MACS3 is not installed. Install it (pip install 'epigx[peaks]'), or use `caller: threshold`."


def find_macs3() -> Path | None:
    """Return the program ``macs3`` of this Python environment, or else the one in ``PATH``."""
    in_environment = shutil.which("macs3", path=str(Path(sys.executable).parent))
    found = in_environment or shutil.which("macs3")
    return Path(found) if found else None


def call_peaks_with_macs3(track: Track, chrom: str, size: int, rule: PeakRule) -> pd.DataFrame:
    """Call peaks on one chromosome with ``macs3 bdgpeakcall``.

    Parameters and result are the same as for :func:`~.peak_calling.call_peaks`, except that ``signal`` is 0. It is an
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
