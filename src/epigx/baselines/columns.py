"""A gene as one row of numbers: its signals in bins, its features, the composition of its DNA."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from epigx.batch import Batch
from epigx.config import Config
from epigx.dataset.inputs import Inputs
from epigx.dataset.windows import Windows

__all__ = ["Columns", "batches", "count_kmers"]


class Columns(Config):
    """Which columns describe a gene."""

    bins: int = Field(default=20, ge=0)
    """Bins of equal width over the window, in each of which each transformed signal is averaged; 0: none."""
    kmer: int = Field(default=3, ge=0)
    """Length of the words whose shares describe the DNA; 0: none."""

    def names(self, inputs: Inputs) -> list[str]:
        """Return the columns' names, in order: ``signal:<name>:<bin>``, ``feature:<name>``, ``dna:<word>``."""
        words = [""]
        for _ in range(self.kmer):
            words = [word + base for word in words for base in "ACGT"]
        return (
            [f"signal:{signal.name}:{place}" for place in range(self.bins) for signal in inputs.signals]
            + [f"feature:{feature.name}" for feature in inputs.features]
            + ([f"dna:{word}" for word in words] if self.kmer and inputs.dna else [])
        )

    def of(self, windows: Windows) -> NDArray[np.float64]:
        """Describe genes, float64 (window, column)."""
        rows = [self._describe(batch, windows.inputs) for batch in batches(windows)]
        return np.concatenate([np.zeros((0, len(self.names(windows.inputs)))), *rows])

    def _describe(self, batch: Batch, inputs: Inputs) -> NDArray[np.float32]:
        parts = [binned(batch.signals.numpy(), self.bins), batch.features.numpy()]
        if self.kmer and inputs.dna:
            parts.append(count_kmers(batch.sequence.numpy(), self.kmer))
        return np.hstack(parts)


def batches(windows: Windows, bases: int = 2**20) -> Iterator[Batch]:
    """Read windows in order, about so many bases at a time."""
    size = max(1, bases // windows.inputs.window)
    for start in range(0, len(windows), size):
        yield windows.__getitems__(range(start, min(start + size, len(windows))))


def binned(signals: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    """Average signals, (gene, length, signal), in bins that are as equal as can be: (gene, bin × signal)."""
    edges = np.linspace(0, signals.shape[1], bins + 1).round().astype(int)
    sums = np.zeros((len(signals), signals.shape[1] + 1, signals.shape[2]))
    np.cumsum(signals, axis=1, out=sums[:, 1:])
    means = np.diff(sums[:, edges], axis=1) / np.maximum(np.diff(edges), 1)[:, None]
    return means.reshape(len(signals), -1).astype(np.float32)


def count_kmers(sequence: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return the share of each word of k bases, both strands added; words with an unknown base do not count.

    Parameters
    ----------
    sequence : ndarray of float32, (gene, length, 4)
        One-hot bases A, C, G, T.
    k : int
        Length of the words.

    Returns
    -------
    ndarray of float32, (gene, 4**k)
        In the order of the words as numbers of base 4; zeros where nothing is known.

    Examples
    --------
    >>> count_kmers(np.eye(4, dtype=np.float32)[[[0, 0, 3]]], 1).tolist()  # AAT: 3 A and 3 T on both strands
    [[0.5, 0.0, 0.0, 0.5]]
    """
    known = np.asarray(sequence.any(axis=2), np.bool_)
    code = sequence.argmax(axis=2)
    n_words = max(0, code.shape[1] - k + 1)
    counts = np.zeros((len(code), 4**k + 1), np.float32)
    for strand, seen in ((code, known), (3 - code[:, ::-1], known[:, ::-1])):
        word = np.zeros((len(code), n_words), np.int64)
        whole: NDArray[np.bool_] = np.ones((len(code), n_words), bool)
        for offset in range(k):
            word = 4 * word + strand[:, offset : offset + n_words]
            whole &= seen[:, offset : offset + n_words]
        word[~whole] = 4**k
        for gene, row in enumerate(word):
            counts[gene] += np.bincount(row, minlength=4**k + 1)
    known_words = counts[:, :-1]
    shares: NDArray[np.float32] = known_words / np.maximum(known_words.sum(axis=1, keepdims=True), 1)
    return shares
