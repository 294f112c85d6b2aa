"""Which genes take part: by chromosome, and by how much of their DNA is known."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from epigx.dataset.split import Split
from epigx.dataset.store import Dataset

__all__ = ["Part", "rows_of"]

Part = Literal["train", "valid", "test", "all"]


def rows_of(dataset: Dataset, part: Part, split: Split, *, min_dna_coverage: float = 0.0) -> NDArray[np.int64]:
    """Return the rows of the genes of a part of the split, ascending, int64 (gene,).

    Parameters
    ----------
    dataset : Dataset
        Where the genes are.
    part : {"train", "valid", "test", "all"}
        Part of the split.
    split : Split
        Chromosomes held out.
    min_dna_coverage : float
        Leave out genes with a smaller share of known bases in the dataset's window.
    """
    chosen = dataset.genes["dna_coverage"].to_numpy() >= min_dna_coverage
    if part != "all":
        chosen &= split.of(dataset.genes["chrom"].to_numpy()) == part
    return np.flatnonzero(chosen).astype(np.int64)
