"""Small genome files, written on the spot."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pybigtools
import pytest

BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bgzip(text: bytes, block: int = 50) -> bytes:
    """Pack bytes as bgzip does, in blocks of ``block`` bytes so that small files have several."""
    packed = []
    for start in range(0, len(text), block):
        piece = text[start : start + block]
        deflate = zlib.compressobj(wbits=-15)
        body = deflate.compress(piece) + deflate.flush()
        head = struct.pack("<4BI2BH2BHH", 31, 139, 8, 4, 0, 0, 255, 6, 66, 67, 2, len(body) + 25)
        packed.append(head + body + struct.pack("<II", zlib.crc32(piece), len(piece)))
    return b"".join(packed) + BGZIP_END


@pytest.fixture
def write_fasta(tmp_path: Path) -> Callable[..., Path]:
    """Write a FASTA: plain, or bgzip when its name ends with .gz."""

    def write(sequences: dict[str, str], name: str = "genome.fa", width: int = 10, end: str = "\n") -> Path:
        lines = []
        for chrom, bases in sequences.items():
            lines += [f">{chrom} a description", *(bases[i : i + width] for i in range(0, len(bases), width))]
        text = "".join(line + end for line in lines).encode()
        path = tmp_path / name
        path.write_bytes(bgzip(text) if name.endswith(".gz") else text)
        return path

    return write


@pytest.fixture
def write_bigwig(tmp_path: Path) -> Callable[..., Path]:
    """Write a bigWig of (chrom, start, end, value) rows."""

    def write(rows: Sequence[tuple[str, int, int, float]], sizes: dict[str, int], name: str = "signal.bigWig") -> Path:
        path = tmp_path / name
        pybigtools.open(str(path), "w").write(sizes, rows)
        return path

    return write


@pytest.fixture
def starts() -> np.ndarray:
    """Starts out of order, overlapping, and past both ends of a chromosome of 100 bp."""
    return np.array([40, -5, 95, 38, 0, 200, -60], dtype=np.int64)
