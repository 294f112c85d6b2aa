"""Describe a gene by one row of numbers: binned signals, features, and the k-mer frequencies of its DNA."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from epigx.config import Config
from epigx.dataset.inputs import Inputs
from epigx.dataset.windows import WindowArrays, Windows
from epigx.runs.method import Progress

__all__ = ["Columns", "binned", "count_kmers"]

CHUNK_BASES = 2**20
"""Base pairs read at a time."""


class Columns(Config):
    """Columns that describe a gene."""

    bins: int = Field(default=20, ge=0)
    """Bins of equal width over the window, in each of which each transformed signal is averaged; 0: none."""
    kmer: int = Field(default=3, ge=0, le=8)
    """Length of the k-mers whose frequencies describe the DNA; 0: none."""

    def names(self, inputs: Inputs) -> list[str]:
        """Return the columns' names, in order: ``signal:<name>:<bin>``, ``feature:<name>``, ``dna:<k-mer>``."""
        return (
            [f"signal:{signal.name}:{number}" for number in range(self.bins) for signal in inputs.signals]
            + [f"feature:{feature.name}" for feature in inputs.features]
            + (["dna:" + "".join(kmer) for kmer in product("ACGT", repeat=self.kmer)] if self._reads(inputs) else [])
        )

    def table(self, windows: Windows, progress: Progress | None = None) -> NDArray[np.float32]:
        """Describe genes, float32 (window, column)."""
        table = np.empty((len(windows), len(self.names(windows.inputs))), np.float32)
        done = 0
        for arrays in _chunks(windows):
            rows = self._rows(arrays, windows.inputs)
            table[done : done + len(rows)] = rows
            done += len(rows)
            if progress is not None:
                progress(done, len(windows))
        return table

    def _reads(self, inputs: Inputs) -> bool:
        return self.kmer > 0 and inputs.dna

    def _rows(self, arrays: WindowArrays, inputs: Inputs) -> NDArray[np.float32]:
        columns = [binned(arrays.signals, self.bins), arrays.features]
        if arrays.codes is not None and self._reads(inputs):
            columns.append(count_kmers(arrays.codes, self.kmer))
        return np.hstack(columns)


def _chunks(windows: Windows) -> Iterator[WindowArrays]:
    """Read windows in order, about :data:`CHUNK_BASES` at a time."""
    size = max(1, CHUNK_BASES // windows.inputs.window)
    for start in range(0, len(windows), size):
        yield windows.arrays(np.arange(start, min(start + size, len(windows))))


def binned(signals: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    """Average signals, (gene, length, signal), in bins of (almost) equal width: (gene, bin × signal)."""
    if not bins:
        return np.zeros((len(signals), 0), np.float32)
    edges = np.linspace(0, signals.shape[1], bins + 1).round().astype(int)
    widths = np.diff(edges)
    filled = np.flatnonzero(widths)
    means = np.zeros((len(signals), bins, signals.shape[2]), np.float32)
    means[:, filled] = np.add.reduceat(signals, edges[filled], axis=1, dtype=np.float64) / widths[filled, None]
    return means.reshape(len(signals), -1)


def count_kmers(codes: NDArray[np.uint8], k: int) -> NDArray[np.float32]:
    """Return the frequency of each k-mer, summed over both strands; k-mers with an unknown base do not count.

    Parameters
    ----------
    codes : ndarray of uint8, (gene, length)
        Bases A 0, C 1, G 2, T 3, anything else 4.

    Returns
    -------
    ndarray of float32, (gene, 4**k)
        In alphabetical order of the k-mers; zeros where no base is known.

    Examples
    --------
    >>> count_kmers(np.array([[0, 0, 3]], np.uint8), 1).tolist()  # AAT: 3 A and 3 T on both strands
    [[0.5, 0.0, 0.0, 0.5]]
    """
    n_genes, n_kmers, size = len(codes), max(0, codes.shape[1] - k + 1), 4**k
    kmer = np.zeros((n_genes, n_kmers), np.int64)
    known = np.ones((n_genes, n_kmers), bool)
    for offset in range(k):
        base = codes[:, offset : offset + n_kmers]
        kmer = 4 * kmer + base
        known &= base < 4
    gene = np.arange(n_genes)[:, None] * (size + 1)
    flat = (gene + np.where(known, kmer, size)).ravel()
    counts = np.bincount(flat, minlength=n_genes * (size + 1)).reshape(n_genes, size + 1)[:, :size]
    counts = counts + counts[:, _reverse_complements(k)]
    frequencies: NDArray[np.float32] = (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    return frequencies


def _reverse_complements(k: int) -> NDArray[np.int64]:
    """Return the index of the reverse complement of each k-mer."""
    rest, reverse = np.arange(4**k), np.zeros(4**k, np.int64)
    for _ in range(k):
        reverse = 4 * reverse + 3 - rest % 4
        rest = rest // 4
    return reverse
