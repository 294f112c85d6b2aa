"""The contents of a report as plain values; everything read or computed for it is in these two classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.metrics import Estimate

__all__ = ["DatasetContents", "RunContents"]

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class RunContents:
    """One run."""

    name: str  # on the page
    about: str  # a description in one line
    cell_type: str  # the cell type that it is scored on
    also_trained_on: tuple[str, ...]  # other cell types that it was trained on
    settings: Mapping[str, str]  # configuration, by the key that ``--set`` takes
    provenance: Mapping[str, str]  # origin, by label
    fitted: Mapping[str, str]  # facts about the fitted model, such as the penalty that was chosen
    losses: pd.DataFrame  # training loss by term, indexed by step; empty without steps
    validation: pd.Series[float]  # validation MSE by step
    chosen: int | None  # the step whose weights were kept
    signals: tuple[str, ...]  # signals that the model reads
    gene_id: NDArray[np.object_]  # the scored genes, (gene,)
    left_out: Mapping[str, int]  # genes of the split that are not scored, by reason
    observed: Values  # log10(1 + x), (gene,)
    predicted: Values  # log10(1 + x), (gene,)
    scores: Mapping[str, Estimate]  # by metric, with all signals
    drops: Mapping[tuple[str, ...], Mapping[str, Estimate]]  # by the dropped signals (the first is none), by metric
    patterns: Values | None  # background patterns a_i, (gene, pattern, encoded), if the objective has them
    floor: float | None = None  # lowest possible L₃, if the objective has patterns

    def label(self, dropped: tuple[str, ...]) -> str:
        """Return the name of an arm: the signals that it lacks."""
        if len(dropped) > 1 and len(dropped) == len(self.signals):
            return "no signals"
        return "no " + ", ".join(dropped) if dropped else "all signals"

    @property
    def n_genes(self) -> int:
        """Number of scored genes."""
        return len(self.observed)


@dataclass(frozen=True)
class DatasetContents:
    """The dataset that the runs are scored on."""

    path: str
    assembly: str
    simulated: bool
    window: int  # bp
    coverage: Mapping[str, Mapping[str, float]]  # by cell type and signal: share of window bases above zero
    expression: Mapping[str, Values]  # labels by cell type, (gene,); NaN without a label
    genes: Mapping[str, int]  # by split
    unlabelled: Mapping[str, int]  # by split: genes without a label in the scored cell type
    dna_coverage: Values  # share of known bases (not N) in each window, (gene,)
