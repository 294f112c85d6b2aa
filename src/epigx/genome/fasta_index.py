"""Finding the index of a FASTA file, or making it in one pass over the file's bytes."""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt64

from epigx.atomic import atomic_file
from epigx.errors import InputError
from epigx.genome.fasta import Record, read_block_index, read_records

__all__ = ["fasta_index"]

logger = logging.getLogger(__name__)

Blocks = UInt64[np.ndarray, "blocks 2"]

_CHUNK = 1 << 22
_GZIP = b"\x1f\x8b"


def fasta_index(path: Path) -> tuple[dict[str, Record], Blocks | None]:
    """Return the records of a FASTA by name, and the blocks of a bgzip file (``None`` for a plain one).

    An index beside the file is used, else one in the user's cache, else one is made and written to the first of these
    two places that can be written to.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, is gzip but not bgzip, is damaged, or has lines of unequal length.
    """
    packed = _is_bgzip(path)
    for stem in (path, _cached(path)):
        fai, gzi = _beside(stem)
        if fai.is_file() and (gzi.is_file() or not packed):
            return read_records(fai), read_block_index(gzi) if packed else None
    logger.info("Indexing %s, which happens once.", path)
    blocks: list[tuple[int, int]] = []
    records = _scan(path, _unpack(path, blocks) if packed else _plain(path))
    places = np.array(blocks, dtype=np.uint64) if packed else None
    _keep(path, records, places)
    return records, places


class _Sequence:
    """A record while its lines come in."""

    def __init__(self, path: Path, name: str, offset: int) -> None:
        self.path, self.name, self.offset = path, name, offset
        self.length = self.line_letters = self.line_bytes = 0
        self.ended = False

    def add(self, letters: np.ndarray, widths: np.ndarray, line: int) -> None:
        """Take lines of some letters and widths (letters and line end), the first of which is line ``line``."""
        if not self.line_bytes and len(letters):
            self.line_letters, self.line_bytes = int(letters[0]), int(widths[0])
        uneven = np.flatnonzero(letters != self.line_letters)
        last = -1 if self.ended else int(uneven[0]) if len(uneven) else len(letters)
        after = np.flatnonzero(letters[last + 1 :])
        longer = last >= 0 and last < len(letters) and letters[last] > self.line_letters
        if longer or len(after):
            at = line + last + (0 if longer else 1 + int(after[0]))
            raise InputError(
                f"{self.path}, line {at}: the lines of {self.name!r} are not of one length, "
                "so its bases cannot be found by their number. Write it anew with lines of equal length."
            )
        self.ended = self.ended or len(uneven) > 0
        self.length += int(letters.sum())

    def record(self) -> Record:
        return Record(self.name, self.length, self.offset, self.line_letters, self.line_bytes)


def _scan(path: Path, chunks: Iterator[bytes]) -> dict[str, Record]:
    """Find the records in the bytes of a FASTA."""
    sequences: dict[str, _Sequence] = {}
    current: _Sequence | None = None
    offset, line = 0, 1
    for text in _whole_lines(chunks):
        letters = np.frombuffer(text, dtype=np.uint8)
        ends = np.flatnonzero(letters == ord("\n")) + 1
        starts = np.concatenate([[0], ends[:-1]])
        widths = ends - starts
        returns = (widths > 1) & (letters[ends - 2] == ord("\r"))
        lengths = widths - 1 - returns
        headers = np.flatnonzero((letters[starts] == ord(">")) & (lengths > 0))
        for first, last in zip([-1, *headers], [*headers, len(starts)], strict=True):
            if first >= 0:
                header = text[starts[first] + 1 : ends[first]].decode("utf-8", "replace")
                current = _begin(path, header, offset + int(ends[first]), line + int(first), sequences)
            body = slice(first + 1, last)
            if current is not None:
                current.add(lengths[body], widths[body], line + int(first) + 1)
            elif lengths[body].any():
                raise InputError(f"{path}, line {line}: FASTA starts with a line such as >chr1. Check the file's kind.")
        offset, line = offset + len(text), line + len(starts)
    if not sequences:
        raise InputError(f"{path} holds no sequence. Check that it is FASTA and was written to its end.")
    return {name: sequence.record() for name, sequence in sequences.items()}


def _begin(path: Path, header: str, offset: int, line: int, sequences: dict[str, _Sequence]) -> _Sequence:
    name = (header.split() or [""])[0]
    if not name or name in sequences:
        why = f"the name {name!r} stands there twice" if name else "a sequence without a name"
        raise InputError(f"{path}, line {line}: {why}. Give each sequence a name of its own.")
    sequences[name] = _Sequence(path, name, offset)
    return sequences[name]


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream behind line ends; a last line without one is given one."""
    rest = b""
    for chunk in chunks:
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + head + newline
            rest = tail
        else:
            rest += chunk
    if rest:
        yield rest + b"\n"


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _unpack(path: Path, blocks: list[tuple[int, int]]) -> Iterator[bytes]:
    """Inflate a bgzip file block by block, and note where each block starts."""
    place = unpacked = 0
    with path.open("rb") as file:
        while head := file.read(12):
            extra = file.read(struct.unpack("<H", head[10:12])[0]) if len(head) == 12 else b""
            size = _block_size(head, extra)
            body = file.read(size - 12 - len(extra)) if size else b""
            try:
                text = zlib.decompress(head + extra + body, wbits=31)
            except zlib.error:
                raise InputError(f"{path} is damaged or cut off at byte {place}. Fetch it again.") from None
            if text:
                blocks.append((place, unpacked))
                yield text
            place, unpacked = place + size, unpacked + len(text)


def _block_size(head: bytes, extra: bytes) -> int:
    """Return the size of a bgzip block in bytes from its header's BC field; 0 when there is none."""
    if head[:2] != _GZIP or len(head) < 12 or not head[3] & 4:
        return 0
    while len(extra) >= 6:
        (length,) = struct.unpack("<H", extra[2:4])
        if extra[:2] == b"BC":
            return int(struct.unpack("<H", extra[4:6])[0]) + 1
        extra = extra[4 + length :]
    return 0


def _is_bgzip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(12)
            if head[:2] != _GZIP:
                return False
            extra = file.read(struct.unpack("<H", head[10:12])[0]) if len(head) == 12 else b""
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check its path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if not _block_size(head, extra):
        raise InputError(f"{path} is gzip but not bgzip, and cannot be read in parts. Run gunzip, then bgzip, on it.")
    return True


def _beside(stem: Path) -> tuple[Path, Path]:
    return stem.with_name(f"{stem.name}.fai"), stem.with_name(f"{stem.name}.gzi")


def _cached(path: Path) -> Path:
    """Return the place of the index in the user's cache; it changes with the file."""
    status = path.stat()
    key = hashlib.sha256(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "epigx" / f"{key}-{path.name}"


def _keep(path: Path, records: dict[str, Record], blocks: Blocks | None) -> None:
    for stem in (path, _cached(path)):
        fai, gzi = _beside(stem)
        try:
            if blocks is not None:
                with atomic_file(gzi) as partial:
                    # The block at 0 is left out, as samtools does.
                    np.concatenate([[len(blocks) - 1], blocks[1:].ravel()]).astype("<u8").tofile(partial)
            with atomic_file(fai) as partial:
                partial.write_text("".join("\t".join(map(str, record)) + "\n" for record in records.values()))
        except InputError:
            continue
        return
    logger.info("The index of %s could not be written; it will be made again next time.", path)
