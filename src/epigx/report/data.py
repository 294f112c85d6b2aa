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
    """One run.

    Parameters
    ----------
    name, about : str
        Its name on the page, and a description in one line.
    cell_type : str
        The cell type that it is scored on.
    also_trained_on : tuple of str
        Other cell types that it was trained on.
    settings, provenance : mapping of str to str
        Its configuration and origin.
    fitted : mapping of str to str
        Facts about the fitted model, such as the penalty that was chosen.
    losses : DataFrame
        Training loss by term, indexed by step; empty for imported weights and for methods without steps.
    validation : Series
        Validation MSE by step.
    chosen : int or None
        The step whose weights were kept.
    signals : tuple of str
        Signals that the model reads.
    gene_id : ndarray of str, (gene,)
        The scored genes.
    left_out : mapping of str to int
        Genes of the split that are not scored, by reason.
    observed, predicted : ndarray, (gene,)
        log10(1 + x).
    scores : mapping of str to Estimate
        By metric, with all signals.
    drops : mapping of tuple of str to mapping of str to Estimate
        By the dropped signals (the first is none), by metric.
    patterns : ndarray, (gene, pattern, encoded), or None
        The background patterns a_i, if the objective has them.
    floor : float, or None
        The lowest possible value of L₃, if the objective has patterns.
    """

    name: str
    about: str
    cell_type: str
    also_trained_on: tuple[str, ...]
    settings: Mapping[str, str]
    provenance: Mapping[str, str]
    fitted: Mapping[str, str]
    losses: pd.DataFrame
    validation: pd.Series[float]
    chosen: int | None
    signals: tuple[str, ...]
    gene_id: NDArray[np.object_]
    left_out: Mapping[str, int]
    observed: Values
    predicted: Values
    scores: Mapping[str, Estimate]
    drops: Mapping[tuple[str, ...], Mapping[str, Estimate]]
    patterns: Values | None
    floor: float | None = None

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
    """The dataset that the runs are scored on.

    Parameters
    ----------
    path, assembly : str
        Its folder and genome assembly.
    simulated : bool
        Whether it is simulated.
    window : int
        bp.
    coverage : mapping of str to mapping of str to float
        By cell type and signal: the share of window bases above zero.
    expression : mapping of str to ndarray, (gene,)
        Labels by cell type; NaN for genes without a label.
    genes, unlabelled : mapping of str to int
        By split: genes, and genes without a label in the scored cell type.
    dna_coverage : ndarray, (gene,)
        Share of known bases (not N) in each gene's window.
    """

    path: str
    assembly: str
    simulated: bool
    window: int
    coverage: Mapping[str, Mapping[str, float]]
    expression: Mapping[str, Values]
    genes: Mapping[str, int]
    unlabelled: Mapping[str, int]
    dna_coverage: Values
