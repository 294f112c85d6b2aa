"""What an exhibit's page tells, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epigx.metrics import Estimate, Metrics
from epigx.paper.items import Counts, Locus, Row, Scores

__all__ = ["CountResults", "LocusGene", "LocusResults", "Results", "RowResult", "ScoreResults", "Terms"]

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Terms:
    """On what terms an exhibit was made.

    Parameters
    ----------
    data, assembly : str
        The dataset.
    simulated : bool
        Whether it is drawn from a model and not measured.
    scale : str
        Size of networks and training.
    seeds : tuple of int
        Seeds of the runs.
    settings : tuple of str
        What was set besides, as ``key=value``.
    command : str
        The command that makes it again.
    """

    data: str
    assembly: str
    simulated: bool
    scale: str
    seeds: tuple[int, ...]
    settings: tuple[str, ...]
    command: str


@dataclass(frozen=True)
class RowResult:
    """A row with its scores.

    Parameters
    ----------
    row : Row
        What it shows.
    window : int or None, bp
        Length read; none where nothing could be trained, or elements are read in place of a window.
    scores : tuple of Metrics
        One for each seed whose run is finished, or one of a reference.
    difference : mapping of str to Estimate
        Its metrics minus the baseline's, over the same genes and averaged over seeds; empty for the baseline itself.
    missing : str
        Why runs are missing; empty where none is.
    """

    row: Row
    window: int | None
    scores: tuple[Metrics, ...]
    difference: Mapping[str, Estimate]
    missing: str = ""

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over seeds; NaN without scores."""
        return float(np.mean([getattr(score, metric) for score in self.scores])) if self.scores else float("nan")

    def deviation(self, metric: str) -> float | None:
        """Return the standard deviation over seeds (n - 1); none of a single one."""
        values = [getattr(score, metric) for score in self.scores]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True)
class ScoreResults:
    """An exhibit of scores with its numbers."""

    exhibit: Scores
    terms: Terms
    rows: tuple[RowResult, ...]


@dataclass(frozen=True)
class CountResults:
    """An exhibit of parameter counts."""

    exhibit: Counts


@dataclass(frozen=True)
class LocusGene:
    """A gene to be looked at.

    Parameters
    ----------
    cell_type, gene_id, symbol, chrom, strand : str
        Which one, and where.
    tss : int
        0-based coordinate of its TSS.
    score : float
        How near it comes to the pattern that was looked for, at most 1.
    window : int, bp
        Length that the models read.
    neighbours : tuple of (int, str, str)
        TSSs of other genes near it: distance in bp, strand, symbol.
    signals : mapping of str to ndarray, (length,)
        Transformed signals, as the models read them, over the window and more of its surroundings.
    tops : mapping of str to float
        The height that nine of ten genes stay below.
    observed : float
        log10(1 + x).
    predicted : mapping of str to ndarray, (seed,)
        By system, the same.
    """

    cell_type: str
    gene_id: str
    symbol: str
    chrom: str
    strand: str
    tss: int
    score: float
    window: int
    neighbours: tuple[tuple[int, str, str], ...]
    signals: Mapping[str, Values]
    tops: Mapping[str, float]
    observed: float
    predicted: Mapping[str, Values]


@dataclass(frozen=True)
class LocusResults:
    """An exhibit of single genes."""

    exhibit: Locus
    terms: Terms
    genes: tuple[LocusGene, ...]


Results = ScoreResults | CountResults | LocusResults
