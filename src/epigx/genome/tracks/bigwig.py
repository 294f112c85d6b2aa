"""bigWig files: per-base values of windows; neighbouring windows are read together."""

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
from epigx.genome.tracks.tracks import TrackSummary

__all__ = ["BigWigTrack"]

_MAGIC = 0x888FFC26
_BIGBED_MAGIC = 0x8789F2EB
_EXACT_BYTES = 1 << 25


class BigWigTrack:
    """A bigWig (see :class:`~.tracks.Track`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_header(path)
        # The reader only accepts paths that end in .bw or .bigWig, so it gets the open file.
        file = path.open("rb")
        weakref.finalize(self, file.close)
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
        with _silent_stderr():
            for read in batched_reads(starts, length, size):
                read.copy(self._values(name, read.start, read.end), windows, starts)
        return windows

    def summary(self, chroms: Iterable[str]) -> TrackSummary:
        """Summarize the values on some chromosomes (see :meth:`~.tracks.Track.summary`).

        Files with up to 32 MB of compressed data are read completely. For larger files the zoom levels are read, whose
        sums are a few per cent too high where intervals are short.
        """
        names = (match_chromosome(chrom, self.chromosomes) for chrom in chroms)
        return TrackSummary.combine(self._summary(name) for name in names if name)

    def _summary(self, name: str) -> TrackSummary:
        size = self.chromosomes[name] or 0
        summaries = ("bases_covered", "max", "min")
        with _silent_stderr():
            found = [self._values(name, 0, size, bins=1, summary=each, exact=self._exact)[0] for each in summaries]
        covered, highest, lowest = map(float, found)
        return TrackSummary(int(covered), highest, lowest < 0)

    def _values(self, name: str, start: int, end: int, **options: Any) -> np.ndarray:
        """Read some values; to be called inside :func:`_silent_stderr`."""
        try:
            return np.asarray(self._reader.values(name, start, end, fillna=None, **options))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # a damaged block causes a Rust panic, which is not an Exception
            raise InputError(
                f"{self.path} cannot be read at {name}:{start + 1:,}-{end:,} ({_reason(error)}). "
                "The file is damaged or truncated; download it again."
            ) from None


_stderr_lock = threading.Lock()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what the reader prints to standard error on a panic; an InputError reports it instead."""
    with _stderr_lock:
        try:
            original = os.dup(2)
        except OSError:  # there is no standard error
            yield
            return
        devnull = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(devnull, 2)
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            os.close(devnull)


def _open(path: Path, file: IO[bytes]) -> Any:
    import pybigtools

    try:
        with _silent_stderr():
            return pybigtools.open(file)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise InputError(
            f"{path} cannot be read as a bigWig ({_reason(error)}). The file is damaged; download it again."
        ) from None


def _check_header(path: Path) -> None:
    """Check from the header that a file is a bigWig and is not truncated.

    The header has the magic number, the version, the number of zoom levels, and the offsets of the chromosomes, the
    data, the index and the zoom levels. The index and the zoom levels are at the end of the file.
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
        raise InputError(f"{path} is a bigBed, not a bigWig. Use a bigWig of the signal, or the peaks as narrowPeak.")
    if magic != _MAGIC:
        raise InputError(f"{path} is not a bigWig (it starts with {head[:4]!r}). Check the file and its kind.")
    size = path.stat().st_size
    offsets = struct.unpack(f"{order}3Q", head[8:32]) if len(head) == 64 else (size,)
    if len(levels) == 24 * zooms:
        offsets += tuple(offset for (offset,) in struct.iter_unpack(f"{order}16xQ", levels))
    if len(levels) < 24 * zooms or max(offsets) >= size:
        raise InputError(
            f"{path} is truncated: it has {size:,} bytes, fewer than its header declares. Download it again."
        )


def _reason(error: BaseException) -> str:
    if not isinstance(error, Exception):
        return "a block cannot be decompressed"
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(". ")
