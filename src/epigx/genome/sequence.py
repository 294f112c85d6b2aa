"""The reference genome: windows of bases as integer codes, A 0, C 1, G 2, T 3, anything else 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pysam
from jaxtyping import Float32, Int64, UInt8

from epigx.errors import InputError
from epigx.genome.chromosomes import require_chromosome
from epigx.genome.fasta import open_fasta
from epigx.genome.tracks.batched_reads import batched_reads

__all__ = ["A", "C", "G", "Genome", "N", "T", "one_hot", "reverse_complement"]

A: Final = 0
C: Final = 1
G: Final = 2
T: Final = 3
N: Final = 4

_LETTERS = b"AaCcGgTt"
_CODES = bytes(_LETTERS.index(letter) // 2 if letter in _LETTERS else N for letter in range(256))
_COMPLEMENTS = np.array([T, G, C, A, N], dtype=np.uint8)
_ONE_HOT = np.vstack([np.eye(4, dtype=np.float32), np.zeros((1, 4), dtype=np.float32)])


class Genome:
    """A reference genome in a FASTA file, plain or bgzip.

    The index (``.fai``, and ``.gzi`` for bgzip) is read from the folder of the file. If there is none, it is created
    once, there or, if the folder is not writable, in the user's cache. A genome can be sent to another process,
    which opens the file again.

    Attributes
    ----------
    sizes : dict of str to int, bp
        The length of each chromosome by its name in the file, in the order of the file.

    Raises
    ------
    InputError
        The file is missing, is not FASTA, is gzip but not bgzip, has lines of unequal length, or its index is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._fasta: pysam.FastaFile | None = open_fasta(self.path)
        self.sizes: dict[str, int] = dict(zip(self._fasta.references, self._fasta.lengths, strict=True))

    def __repr__(self) -> str:
        return f"Genome({str(self.path)!r}: {len(self.sizes)} sequences, {sum(self.sizes.values()):,} bp)"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_fasta": None}

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> UInt8[np.ndarray, "n length"]:
        """Return the bases of some windows on one chromosome, from their 0-based starts, in any order.

        The chromosome is named as in the genes (``chr1`` also matches ``1``). Bases are A 0, C 1, G 2, T 3 in upper or
        lower case; 4 for other letters and beyond the ends of the chromosome.

        Raises
        ------
        InputError
            The genome lacks the chromosome, or the file is damaged.
        """
        name = require_chromosome(chrom, self.sizes, self.path)
        size = self.sizes[name]
        windows = np.full((len(starts), length), N, dtype=np.uint8)
        for read in batched_reads(starts, length, size):
            read.copy(self._codes(name, read.start, read.end), windows, starts)
        return windows

    def bases(self, chrom: str, start: int, end: int) -> UInt8[np.ndarray, " bases"]:
        """Return the codes of the bases ``start`` to ``end - 1``, like :meth:`windows`."""
        return self.windows(chrom, np.array([start], dtype=np.int64), end - start).ravel()

    def length_of(self, chrom: str) -> int:
        """Return the length of a chromosome in bp; one that the genome lacks is an ``InputError``."""
        return self.sizes[require_chromosome(chrom, self.sizes, self.path)]

    def _codes(self, name: str, start: int, end: int) -> UInt8[np.ndarray, " bases"]:
        if self._fasta is None:
            self._fasta = open_fasta(self.path)
        try:
            letters = self._fasta.fetch(name, start, end)
        except (OSError, ValueError):
            letters = ""
        if len(letters) != end - start:
            raise InputError(f"{self.path} is damaged in {name}, bases {start:,} to {end:,}. Download it again.")
        return np.frombuffer(letters.encode("ascii").translate(_CODES), dtype=np.uint8)


def one_hot(codes: UInt8[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape 4"]:
    """Return codes as one-hot vectors in the order A, C, G, T; N is four zeros, and a code above 4 an ``InputError``.

    Examples
    --------
    >>> one_hot(np.array([A, T, N], dtype=np.uint8))
    array([[1., 0., 0., 0.],
           [0., 0., 0., 1.],
           [0., 0., 0., 0.]], dtype=float32)
    """
    return _ONE_HOT.take(_checked(codes), axis=0)


def reverse_complement(codes: UInt8[np.ndarray, "*batch length"]) -> UInt8[np.ndarray, "*batch length"]:
    """Return the reverse complement of each sequence (along the last axis); a code above 4 is an ``InputError``.

    Examples
    --------
    >>> reverse_complement(np.array([A, A, C, N], dtype=np.uint8))
    array([4, 2, 3, 3], dtype=uint8)
    """
    return _COMPLEMENTS.take(_checked(codes)[..., ::-1])


def _checked(codes: np.ndarray) -> np.ndarray:
    if codes.size and codes.max() > N:
        raise InputError(f"A base code is {codes.max()}. Codes are 0 to 4: A, C, G, T, N.")
    return codes
