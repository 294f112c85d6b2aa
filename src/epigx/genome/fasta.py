"""Opening a FASTA file, plain or bgzip, and its index, by htslib.

htslib's own messages name a C function and no remedy, so what can be wrong is looked at first and told in words.
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

    The index (``.fai``, and ``.gzi`` for bgzip) is read from beside the file. If there is none, or it is older than
    the file, it is made once: beside the file where nothing stands, else in the user's cache.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, is gzip but not bgzip, has lines of unequal length, is cut off, or does not
        fit its index.
    """
    packed = _is_bgzip(path)
    fai, gzi = _index(path, packed=packed)
    with _silent():
        try:
            fasta = pysam.FastaFile(
                str(path), filepath_index=str(fai), filepath_index_compressed=str(gzi) if packed else None
            )
        except (OSError, ValueError):
            raise _unfit(path) from None
        _check_end(fasta, path)
    return fasta


def _check_end(fasta: pysam.FastaFile, path: Path) -> None:
    """Read the last base that the index knows: a file that was cut off, or changed since, does not have it."""
    if not fasta.nreferences:
        raise InputError(f"{path} holds no sequence. Check that it is FASTA and was written to its end.")
    name, length = fasta.references[-1], fasta.lengths[-1]
    try:
        last = fasta.fetch(name, max(length - 1, 0), length)
    except (OSError, ValueError):
        raise _unfit(path) from None
    if len(last) != min(length, 1) or not (last.isalpha() or last in "*-"):
        raise _unfit(path)


def _unfit(path: Path) -> InputError:
    return InputError(
        f"{path} does not fit its index: it was cut off, or changed after it was indexed. "
        "Fetch it again, or delete its .fai and .gzi to have them made anew."
    )


def _index(path: Path, *, packed: bool) -> tuple[Path, Path]:
    """Return the files of the index, made if there are none."""
    beside, cached = _names(path), _names(_cached(path))
    for fai, gzi in (beside, cached):
        needed = (fai, gzi) if packed else (fai,)
        if all(file.is_file() and file.stat().st_mtime >= path.stat().st_mtime for file in needed):
            return fai, gzi
    fai, gzi = beside if not beside[0].exists() and os.access(path.parent, os.W_OK) else cached
    logger.info("Indexing %s, which happens once.", path)
    with atomic_file(gzi) as partial_gzi, atomic_file(fai) as partial_fai:
        _make(path, partial_fai, partial_gzi)
    if not packed:
        gzi.unlink()
    return fai, gzi


def _make(path: Path, fai: Path, gzi: Path) -> None:
    with _silent():
        try:
            pysam.faidx(str(path), "--fai-idx", str(fai), "--gzi-idx", str(gzi))
        except SamtoolsError:
            raise InputError(
                f"{path} cannot be indexed: it is not FASTA, is cut off, or has sequence lines of unequal length. "
                "Check that it starts with a line such as >chr1, and fetch or write it anew."
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
    if head[12:14] != b"BC":  # the extra field that htslib puts first
        raise InputError(f"{path} is gzip but not bgzip, and cannot be read in parts. Run gunzip, then bgzip, on it.")
    return True


def _names(stem: Path) -> tuple[Path, Path]:
    return stem.with_name(f"{stem.name}.fai"), stem.with_name(f"{stem.name}.gzi")


def _cached(path: Path) -> Path:
    """Return the place of the index in the user's cache; it changes with the file."""
    status = path.stat()
    key = hashlib.sha256(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "epigx" / f"{key}-{path.name}"


@contextmanager
def _silent() -> Iterator[None]:
    """Keep htslib from writing its own messages to stderr."""
    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)
