"""Summary statistics of a track."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["ChromosomeSummary", "TrackSummary", "combine"]


class TrackSummary(NamedTuple):
    """Summary statistics of a track on some chromosomes.

    Attributes
    ----------
    covered_bases : int, bp
        Bases with a value.
    mean, maximum : float
        Over the covered bases; NaN if there are none.
    nan_bases : int, bp
        Bases without a value, up to the end of the chromosome, or up to the last interval if the format does not record
        chromosome lengths.
    negative : bool
        Whether any value is below zero.
    """

    covered_bases: int
    mean: float
    maximum: float
    nan_bases: int
    negative: bool


class ChromosomeSummary(NamedTuple):
    """Statistics of one chromosome that can be combined: length in bp, and sums and extremes of its values."""

    length: int
    covered: float
    total: float
    maximum: float
    minimum: float


def combine(chromosomes: Iterable[ChromosomeSummary]) -> TrackSummary:
    """Combine the statistics of several chromosomes.

    Examples
    --------
    >>> combine([ChromosomeSummary(100, 10, 30.0, 5.0, 1.0), ChromosomeSummary(50, 0, 0.0, 0.0, 0.0)])
    TrackSummary(covered_bases=10, mean=3.0, maximum=5.0, nan_bases=140, negative=False)
    """
    known = list(chromosomes)
    covering = [chromosome for chromosome in known if chromosome.covered > 0]
    covered = int(sum(chromosome.covered for chromosome in covering))
    return TrackSummary(
        covered_bases=covered,
        mean=sum(chromosome.total for chromosome in covering) / covered if covered else float("nan"),
        maximum=max((chromosome.maximum for chromosome in covering), default=float("nan")),
        nan_bases=sum(chromosome.length for chromosome in known) - covered,
        negative=any(chromosome.minimum < 0 for chromosome in covering),
    )
