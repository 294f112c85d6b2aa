"""bigWig files: per-base values of windows, read in spans of neighbouring windows."""

from __future__ import annotations

import os
import struct
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float32, Int64

from epigx.errors import InputError
from epigx.genome.chromosomes import match_chromosome, require_chromosome
from epigx.genome.tracks.batched_reads import batched_reads
from epigx.genome.tracks.track_summary import ChromosomeSummary, TrackSummary, combine

__all__ = ["BigWigTrack"]

_MAGIC = 0x888FFC26
_BIGBED_MAGIC = 0x8789F2EB
_EXACT_BYTES = 1 << 25


class BigWigTrack:
    """A bigWig (see :class:`~.tracks.Track`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_header(path)
        # The reader would refuse a path that does not end in .bw or .bigWig, so it is given the open file.
        file = path.open("rb")
        self._close_file = weakref.finalize(self, file.close)
        self._reader = _open(path, file)
        self._exact = self._reader.info()["primaryDataSize"] <= _EXACT_BYTES
        self.chromosomes: dict[str, int | None] = dict(self._reader.chroms())

    def __repr__(self) -> str:
        return f"BigWigTrack({str(self.path)!r})"

    def __reduce__(self) -> tuple[type[BigWigTrack], tuple[Path]]:
        return BigWigTrack, (self.path,)

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows (see :meth:`~.tracks.Track.windows`)."""
        name = require_chromosome(chrom, self.chromosomes, self.path)
        size = self.chromosomes[name] or 0
        starts = np.asarray(starts, dtype=np.int64)
        windows = np.full((len(starts), length), np.nan, dtype=np.float32)
        with _hushed():
            for span in batched_reads(starts, length, size):
                span.copy(self._values(name, span.start, span.end), windows, starts)
        return windows

    def summary(self, chroms: Iterable[str]) -> TrackSummary:
        """Sum up some chromosomes (see :meth:`~.tracks.Track.survey`).

        Files of up to 32 MB of packed data are read whole. Of larger ones the zoom levels are read, whose sums are
        some per cent too high where intervals are short.
        """
        names = (match_chromosome(chrom, self.chromosomes) for chrom in chroms)
        return combine(self._summary(name) for name in names if name)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._close_file()

    def _summary(self, name: str) -> ChromosomeSummary:
        size = self.chromosomes[name] or 0
        summaries = ("bases_covered", "sum", "max", "min")
        with _hushed():
            found = [self._values(name, 0, size, bins=1, summary=each, exact=self._exact) for each in summaries]
        return ChromosomeSummary(size, *(float(values[0]) for values in found))

    def _values(self, name: str, start: int, end: int, **options: Any) -> np.ndarray:
        """Read some values; the caller keeps the reader hushed."""
        try:
            return np.asarray(self._reader.values(name, start, end, fillna=None, **options))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # damaged blocks end in a panic of the reader, which is no Exception
            raise InputError(
                f"{self.path} cannot be read at {name}:{start + 1:,}-{end:,} ({_reason(error)}). "
                "The file is damaged or cut off; fetch it again."
            ) from None


_alone = threading.Lock()


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep a panic of the reader, which it prints itself, from standard error: it is told in words instead."""
    with _alone:
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def _open(path: Path, file: IO[bytes]) -> Any:
    import pybigtools

    try:
        with _hushed():
            return pybigtools.open(file)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise InputError(
            f"{path} cannot be read as a bigWig ({_reason(error)}). The file is damaged; fetch it again."
        ) from None


def _check_header(path: Path) -> None:
    """Tell a file that is no bigWig, or is cut off, by its first bytes.

    The header holds the magic number, the version, the number of zoom levels, and where the chromosomes, the data,
    the index and the zoom levels lie; the index and the zoom levels stand at the end of the file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
            order = "<" if head[:4] == _MAGIC.to_bytes(4, "little") else ">"
            zooms = struct.unpack(f"{order}H", head[6:8])[0] if len(head) == 64 else 0
            levels = file.read(24 * zooms)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check its path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    magic = struct.unpack(f"{order}I", head[:4].ljust(4, b"\0"))[0]
    if magic == _BIGBED_MAGIC or head[:4] == _BIGBED_MAGIC.to_bytes(4, "little"):
        raise InputError(f"{path} is a bigBed, not a bigWig. Give the signal's bigWig, or the peaks as narrowPeak.")
    if magic != _MAGIC:
        raise InputError(f"{path} is not a bigWig (it begins with {head[:4]!r}). Check the file and its kind.")
    size = path.stat().st_size
    places = struct.unpack(f"{order}3Q", head[8:32]) if len(head) == 64 else (size,)
    if len(levels) == 24 * zooms:
        places += tuple(place for (place,) in struct.iter_unpack(f"{order}16xQ", levels))
    if len(levels) < 24 * zooms or max(places) >= size:
        raise InputError(f"{path} is cut off: it has {size:,} bytes and speaks of more. Fetch it again.")


def _reason(error: BaseException) -> str:
    if not isinstance(error, Exception):
        return "a block of it cannot be unpacked"
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(". ")
