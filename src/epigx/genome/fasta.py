"""Open a FASTA file, plain or bgzip, and its index with htslib.

Messages of htslib name a C function and no remedy, so likely problems are checked first and reported clearly.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysam
from pysam.utils import SamtoolsError

from epigx.errors import InputError
from epigx.system.atomic import atomic_file

__all__ = ["open_fasta"]

logger = logging.getLogger(__name__)

_GZIP = b"\x1f\x8b"


def open_fasta(path: Path) -> pysam.FastaFile:
    """Open a FASTA for random access.

    The index (``.fai``, and ``.gzi`` for bgzip) is read from the folder of the file. If it is missing, or older than
    the file, it is created once: next to the file if there is none and the folder is writable, otherwise in the user's
    cache.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, is gzip but not bgzip, has lines of unequal length, is truncated, or does not
        match its index.
    """
    compressed = _is_bgzip(path)
    fai, gzi = _index(path, compressed=compressed)
    with _silent():
        try:
            fasta = pysam.FastaFile(
                str(path), filepath_index=str(fai), filepath_index_compressed=str(gzi) if compressed else None
            )
        except (OSError, ValueError):
            raise _index_mismatch(path) from None
        _check_end(fasta, path)
    return fasta


def _check_end(fasta: pysam.FastaFile, path: Path) -> None:
    """Read the last base in the index; it is missing if the file is truncated or has changed since."""
    if not fasta.nreferences:
        raise InputError(f"{path} has no sequences. Check that it is FASTA and is complete.")
    name, length = fasta.references[-1], fasta.lengths[-1]
    try:
        last = fasta.fetch(name, max(length - 1, 0), length)
    except (OSError, ValueError):
        raise _index_mismatch(path) from None
    if len(last) != min(length, 1) or not (last.isalpha() or last in "*-"):
        raise _index_mismatch(path)


def _index_mismatch(path: Path) -> InputError:
    return InputError(
        f"{path} does not match its index: it is truncated, or has changed since it was indexed. "
        "Download it again, or delete its .fai and .gzi so that they are created again."
    )


def _index(path: Path, *, compressed: bool) -> tuple[Path, Path]:
    """Return the files of the index; create them if there are none."""
    local, cached = _names(path), _names(_cached(path))
    for fai, gzi in (local, cached):
        needed = (fai, gzi) if compressed else (fai,)
        if all(file.is_file() and file.stat().st_mtime >= path.stat().st_mtime for file in needed):
            return fai, gzi
    fai, gzi = local if not local[0].exists() and os.access(path.parent, os.W_OK) else cached
    logger.info("Indexing %s (needed only once).", path)
    with atomic_file(gzi) as partial_gzi, atomic_file(fai) as partial_fai:
        _make(path, partial_fai, partial_gzi)
    if not compressed:
        gzi.unlink()
    return fai, gzi


def _make(path: Path, fai: Path, gzi: Path) -> None:
    with _silent():
        try:
            pysam.faidx(str(path), "--fai-idx", str(fai), "--gzi-idx", str(gzi))
        except SamtoolsError:
            raise InputError(
                f"{path} cannot be indexed: it is not FASTA, is truncated, or has sequence lines of unequal length. "
                "Check that it starts with a line such as >chr1, or download it again."
            ) from None


def _is_bgzip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(18)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check its path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if head[:2] != _GZIP:
        return False
    if head[12:14] != b"BC":  # the extra field that identifies bgzip
        raise InputError(
            f"{path} is gzip but not bgzip, so it has no random access. Decompress it with gunzip, then run bgzip."
        )
    return True


def _names(stem: Path) -> tuple[Path, Path]:
    return stem.with_name(f"{stem.name}.fai"), stem.with_name(f"{stem.name}.gzi")


def _cached(path: Path) -> Path:
    """Return the path of the index in the user's cache; it depends on size and time of the file."""
    status = path.stat()
    key = hashlib.sha256(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "epigx" / f"{key}-{path.name}"


@contextmanager
def _silent() -> Iterator[None]:
    """Keep htslib from writing messages to stderr."""
    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)
