"""What the page tells, as plain values: everything that is read or computed for it is in these two classes."""

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
        What the page calls it, and what it is, in one line.
    settings, provenance : mapping of str to str
        What was asked for, and where it comes from.
    losses : DataFrame
        Training loss by term, indexed by step; empty for imported weights.
    validation : Series
        Validation MSE by step.
    chosen : int or None
        The step whose weights were kept.
    signals : tuple of str
        What the model reads.
    gene_id : ndarray of str, (gene,)
        The scored genes.
    left_out : mapping of str to int
        How many genes of the same chromosomes are not scored, by the reason.
    observed, predicted : ndarray, (gene,)
        log10(1 + x).
    scores : mapping of str to Estimate
        By metric, with all signals.
    drops : mapping of tuple of str to mapping of str to Estimate
        By the dropped signals (first of all none), by metric.
    patterns : ndarray, (gene, pattern, encoded), or None
        The background patterns a_i, where the objective has them.
    floor : float, or None
        The lowest value that L₃ can take, where the objective has patterns.
    """

    name: str
    about: str
    settings: Mapping[str, str]
    provenance: Mapping[str, str]
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
        """Say which signals an arm was scored with."""
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
        Which one.
    simulated : bool
        Whether it is drawn from a model and not measured.
    window : int
        bp.
    coverage : mapping of str to mapping of str to float
        By cell type, by signal: the share of window bases above zero.
    expression : mapping of str to ndarray, (gene,)
        Labels by cell type; NaN where there is none.
    genes, unlabelled : mapping of str to int
        By part of the split: genes, and those without a label in the scored cell type.
    dna_coverage : ndarray, (gene,)
        Share of known bases in each gene's window.
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
