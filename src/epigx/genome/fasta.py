"""Random access to the letters of a FASTA file, plain or bgzip, through its ``.fai`` and ``.gzi`` indexes.

The layouts are those of samtools: ``.fai`` is a table of name, length, offset of the first letter, letters per line
and bytes per line; ``.gzi`` is a count and pairs of (compressed, uncompressed) block offsets as little-endian uint64.
"""

from __future__ import annotations

import os
import zlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from jaxtyping import UInt8, UInt64

from epigx.errors import InputError

__all__ = ["FastaBytes", "Record", "check_index", "open_bytes", "read_block_index", "read_letters", "read_records"]

_BLOCKS_KEPT = 16
_NEWLINES = np.frombuffer(b"\r\n", dtype=np.uint8)


class Record(NamedTuple):
    """One sequence: a line of the ``.fai``."""

    name: str
    length: int
    offset: int
    line_letters: int
    line_bytes: int

    def place(self, base: int) -> int:
        """Return the (uncompressed) byte at which a 0-based base stands."""
        return self.offset + base // self.line_letters * self.line_bytes + base % self.line_letters


class FastaBytes(Protocol):
    """The uncompressed bytes of a FASTA file."""

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes ``start`` to ``end - 1``; fewer at the file's end."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_bytes(path: Path, blocks: UInt64[np.ndarray, "blocks 2"] | None) -> FastaBytes:
    """Open a FASTA for reading by uncompressed offset; ``blocks`` is the block index of a bgzip file."""
    return _Plain(path) if blocks is None else _Blocked(path, blocks)


class _Plain:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY)

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self._handle, end - start, start)

    def close(self) -> None:
        os.close(self._handle)


class _Blocked:
    """A bgzip file: independent gzip blocks of at most 64 KiB, found through the ``.gzi``."""

    def __init__(self, path: Path, blocks: UInt64[np.ndarray, "blocks 2"]) -> None:
        self.path = path
        self._handle = os.open(path, os.O_RDONLY)
        self._packed = np.append(blocks[:, 0], os.fstat(self._handle).st_size).astype(np.int64)
        self._unpacked = blocks[:, 1].astype(np.int64)
        self._block = lru_cache(maxsize=_BLOCKS_KEPT)(self._inflate)

    def read(self, start: int, end: int) -> bytes:
        first, last = (int(place) - 1 for place in np.searchsorted(self._unpacked, [start, end - 1], side="right"))
        skip = start - int(self._unpacked[first])
        return b"".join(map(self._block, range(first, last + 1)))[skip : skip + end - start]

    def close(self) -> None:
        os.close(self._handle)

    def _inflate(self, block: int) -> bytes:
        start, end = self._packed[block : block + 2]
        packed = os.pread(self._handle, int(end - start), int(start))
        letters = []
        try:
            # The last entry of the index may be followed by the empty block that ends the file.
            while packed:
                inflator = zlib.decompressobj(wbits=31)
                letters.append(inflator.decompress(packed))
                if not inflator.eof:
                    raise zlib.error("the block is cut off")
                packed = inflator.unused_data
        except zlib.error as error:
            raise InputError(f"{self.path} is damaged at byte {start}: {error}. Fetch it again.") from None
        return b"".join(letters)


def read_letters(source: FastaBytes, record: Record, start: int, end: int, path: Path) -> UInt8[np.ndarray, " letters"]:
    """Return the letters ``start`` to ``end - 1`` of a sequence, line ends taken out.

    Raises
    ------
    InputError
        The file ends early, or its index is of another file.
    """
    if start >= end:
        return np.empty(0, dtype=np.uint8)
    raw = np.frombuffer(source.read(record.place(start), record.place(end - 1) + 1), dtype=np.uint8)
    letters = raw[~np.isin(raw, _NEWLINES)]
    if len(letters) != end - start or (letters == ord(">")).any():
        raise InputError(
            f"{path} does not hold the bases {start + 1:,}-{end:,} of {record.name!r} where its index says. "
            "The file was cut off or changed after it was indexed: fetch it again, or delete its .fai and .gzi."
        )
    return letters


def check_index(source: FastaBytes, records: dict[str, Record], path: Path) -> None:
    """Make sure that an index is that of the file: its first name is there, and nothing follows its last letter.

    Raises
    ------
    InputError
        It is not, or the file is cut off.
    """
    first, last = (pick(records.values(), key=lambda record: record.offset) for pick in (min, max))
    header = source.read(max(first.offset - 1_024, 0), first.offset).splitlines()[-1:]
    end = last.place(last.length - 1) if last.length else last.offset
    rest = source.read(end, end + last.line_bytes + 2).split()
    named = bool(header) and header[0].startswith(b">") and header[0][1:].split()[:1] == [first.name.encode()]
    if not named or [len(piece) for piece in rest] != [1] * min(last.length, 1):
        raise InputError(
            f"{path} does not fit its index: it was cut off, or changed after it was indexed. "
            "Fetch it again, or delete its .fai and .gzi to have them made anew."
        )


def read_records(path: Path) -> dict[str, Record]:
    """Read a ``.fai``.

    Raises
    ------
    InputError
        A line is not name, length, offset, letters per line, bytes per line.
    """
    records: dict[str, Record] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        fields = line.split("\t")
        try:
            record = Record(fields[0], *(int(field) for field in fields[1:5]))
            if record.line_bytes < record.line_letters or min(record[1:]) < 0:
                raise ValueError(line)
        except (TypeError, ValueError):
            raise InputError(f"{path}, line {number}: {line!r} is no FASTA index entry. Delete the index.") from None
        records[record.name] = record
    if not records:
        raise InputError(f"{path} is empty. Delete it; a new index is made when the FASTA is opened.")
    return records


def read_block_index(path: Path) -> UInt64[np.ndarray, "blocks 2"]:
    """Read a ``.gzi``; the block at 0, which the file leaves out, is put in front.

    Raises
    ------
    InputError
        The length of the file is not what its first number says.
    """
    numbers = np.fromfile(path, dtype="<u8")
    if not len(numbers) or len(numbers) != 1 + 2 * int(numbers[0]):
        raise InputError(f"{path} is no block index of a bgzip file. Delete it; a new one is made.")
    return np.concatenate([np.zeros((1, 2), dtype=np.uint64), numbers[1:].reshape(-1, 2)])
