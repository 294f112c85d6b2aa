"""Which genes are used: by chromosome, and by the share of known bases in their window."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from epigx.dataset.manifest.split import Split
from epigx.dataset.store import Dataset
from epigx.errors import DatasetError
from epigx.genome.sequence import N

__all__ = ["SplitName", "rows_of"]

SplitName = Literal["train", "valid", "test", "all"]


def rows_of(
    dataset: Dataset,
    split_name: SplitName,
    split: Split,
    *,
    min_dna_coverage: float = 0.0,
    coverage_window: int | None = None,
) -> NDArray[np.int64]:
    """Return the rows of the genes of one split, ascending, int64 (gene,).

    Parameters
    ----------
    split : Split
        Chromosomes held out.
    min_dna_coverage : float
        Leave out genes with a smaller share of known bases.
    coverage_window : int, optional, bp
        Central part of the windows in which known bases are counted; the whole window by default.

    Raises
    ------
    DatasetError
        The windows are shorter than that.
    """
    chosen = _coverage(dataset, coverage_window) >= min_dna_coverage
    if split_name != "all":
        chosen &= split.of(dataset.genes["chrom"].to_numpy()) == split_name
    return np.flatnonzero(chosen).astype(np.int64)


def _coverage(dataset: Dataset, window: int | None) -> NDArray[np.float64]:
    if window in (None, dataset.window):
        return dataset.genes["dna_coverage"].to_numpy(np.float64)
    if window > dataset.window:
        raise DatasetError(
            f"{dataset.path} has windows of {dataset.window:,} bp, but known bases should be counted in {window:,} bp "
            f"(data.coverage_window). Build it with --window {window}."
        )
    start = (dataset.window - window) // 2
    return np.asarray((dataset.sequence[:, start : start + window] != N).mean(axis=1), np.float64)
