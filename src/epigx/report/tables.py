"""The tables of the report: rows of text, ready for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from epigx.metrics import METRICS, Estimate, paired_bootstrap
from epigx.report.data import DatasetContents, RunContents

__all__ = ["Table", "comparison_table", "data_table", "drop_table", "facts_table", "interval", "verdict"]


@dataclass(frozen=True)
class Table:
    """A heading, rows of the same length, and where the best values stand.

    Parameters
    ----------
    head : tuple of str
        Column titles.
    rows : tuple of tuple of str
        Cells.
    best : frozenset of (int, int)
        (row, column) of the cells to emphasise.
    second : frozenset of (int, int)
        Likewise of those that come next.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()
    second: frozenset[tuple[int, int]] = frozenset()


def interval(estimate: Estimate, digits: int = 3) -> str:
    r"""Write a value with its interval; a narrow table can break the line between the two alone.

    Examples
    --------
    >>> interval(Estimate(0.18321, 0.171, 0.1954))
    '0.183 [0.171,\xa00.195]'
    """
    value, low, high = (f"{x:.{digits}f}".replace("-", "−") for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low},\N{NO-BREAK SPACE}{high}]"


def comparison_table(runs: Sequence[RunContents], resamples: int) -> Table:
    """Compare runs on the genes that all of them were scored on; differences are to the first run, paired by gene."""
    rows, values = [], np.array([[run.scores[name].value for name in METRICS] for run in runs])
    for run in runs:
        difference = "" if run is runs[0] else interval(_difference(runs[0], run, resamples)["mse"])
        rows.append((run.name, *(interval(run.scores[name]) for name in METRICS), f"{run.n_genes:,}", difference))
    signs = np.array([-1 if metric.higher_is_better else 1 for metric in METRICS.values()])
    winners = np.argmin(np.where(np.isnan(values), np.inf, values * signs), axis=0)
    best = {(int(row), column + 1) for column, row in enumerate(winners)} if len(runs) > 1 else set()
    head = ("Run", *(metric.label for metric in METRICS.values()), "Genes", f"MSE, difference to {runs[0].name}")
    if len(runs) == 1:
        return Table(head[:-1], tuple(row[:-1] for row in rows))
    return Table(head, tuple(rows), frozenset(best))


def verdict(runs: Sequence[RunContents], resamples: int) -> str:
    """Say in one sentence which run is better, or that these genes do not tell."""
    if len(runs) != 2:
        return ""
    first, second = runs
    difference = _difference(first, second, resamples)["mse"]
    worse, better = (second, first) if difference.value > 0 else (first, second)
    by = abs(difference.value) / worse.scores["mse"].value
    margin = f"The MSE of {better.name} is {by:.1%} lower than that of {worse.name}"
    if difference.low <= 0 <= difference.high:
        return f"{margin}, but the 95 % interval of the difference holds zero: on these genes neither is ahead."
    return f"{margin}, and the 95 % interval of the difference leaves out zero: on these genes {better.name} is ahead."


def drop_table(run: RunContents) -> Table:
    """Give the scores with each signal set to zero, and by how much the error rises."""
    base = run.drops[()]["mse"].value
    rows = [
        (
            run.label(dropped),
            *(interval(scores[metric]) for metric in METRICS),
            _change(scores["mse"].value / base - 1) if dropped else "",
        )
        for dropped, scores in run.drops.items()
    ]
    return Table(("Signals", *(metric.label for metric in METRICS.values()), "MSE change"), tuple(rows))


def data_table(data: DatasetContents) -> Table:
    """Give the share of bases with signal and the number of labels for each cell type."""
    signals = list(next(iter(data.coverage.values())))
    rows = [
        (
            cell,
            *(f"{shares[signal]:.1%}" for signal in signals),
            f"{np.isfinite(data.expression[cell]).sum():,}",
            f"{np.isnan(data.expression[cell]).sum():,}",
        )
        for cell, shares in data.coverage.items()
    ]
    return Table(("Cell type", *(f"{s}: bases > 0" for s in signals), "Genes with a label", "Without"), tuple(rows))


def facts_table(title: str, facts: Mapping[str, Mapping[str, str]]) -> Table:
    """Set the facts of several runs side by side; rows in which they differ are emphasised.

    Parameters
    ----------
    title : str
        Heading of the first column.
    facts : mapping of str to mapping of str to str
        By run, by name of the fact.
    """
    names = list(dict.fromkeys(name for run in facts.values() for name in run))
    rows = tuple((name, *(run.get(name, "–") for run in facts.values())) for name in names)
    differing = {(at, column) for at, row in enumerate(rows) for column in range(1, len(row)) if len(set(row[1:])) > 1}
    return Table((title, *facts), rows, frozenset(differing))


def _change(share: float) -> str:
    text = f"{share:+.1%}"
    return "0.0%" if text in ("+0.0%", "-0.0%") else text.replace("-", "−")


def _difference(first: RunContents, other: RunContents, resamples: int) -> dict[str, Estimate]:
    """Return the metrics of ``other`` minus those of ``first`` on the genes that both have."""
    _, ours, theirs = np.intersect1d(first.gene_id.astype(str), other.gene_id.astype(str), return_indices=True)
    observed = first.observed[ours]
    return paired_bootstrap(observed, other.predicted[theirs], first.predicted[ours], resamples=resamples)
