"""The tables of the report, as rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from epigx.metrics import Estimate, all_metrics, paired_bootstrap
from epigx.report.collect import DatasetContents, RunContents

__all__ = ["Table", "comparison_table", "data_table", "drop_table", "facts_table", "interval", "scored_on", "verdict"]


@dataclass(frozen=True)
class Table:
    """A table of text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()  # (row, column) of the best values, shown in bold
    second: frozenset[tuple[int, int]] = frozenset()  # (row, column) of the second best, underlined


def interval(estimate: Estimate) -> str:
    r"""Write a value with its interval; a line can break only between the two.

    Examples
    --------
    >>> interval(Estimate(0.18321, 0.171, 0.1954))
    '0.183 [0.171,\xa00.195]'
    """
    value, low, high = (f"{x:.3f}".replace("-", "−") for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low},\N{NO-BREAK SPACE}{high}]"


def comparison_table(runs: Sequence[RunContents], resamples: int) -> Table:
    """Compare runs; differences to the first run are paired by gene."""
    found = all_metrics()
    rows, values = [], np.array([[run.scores[name].value for name in found] for run in runs])
    for run in runs:
        difference = "" if run is runs[0] else interval(_difference(runs[0], run, resamples)["mse"])
        rows.append((run.name, *(interval(run.scores[name]) for name in found), f"{run.n_genes:,}", difference))
    signs = np.array([-1 if metric.higher_is_better else 1 for metric in found.values()])
    winners = np.argmin(np.where(np.isnan(values), np.inf, values * signs), axis=0)
    best = {(int(row), column + 1) for column, row in enumerate(winners)} if len(runs) > 1 else set()
    head = ("Run", *(metric.label for metric in found.values()), "Genes", f"MSE, difference to {runs[0].name}")
    if len(runs) == 1:
        return Table(head[:-1], tuple(row[:-1] for row in rows))
    return Table(head, tuple(rows), frozenset(best))


def verdict(runs: Sequence[RunContents], resamples: int) -> str:
    """Return one sentence about which of two runs is better; empty for another number of runs."""
    if len(runs) != 2:
        return ""
    first, second = runs
    difference = _difference(first, second, resamples)["mse"]
    worse, better = (second, first) if difference.value > 0 else (first, second)
    by = abs(difference.value) / worse.scores["mse"].value
    margin = f"The MSE of {better.name} is {by:.1%} lower than that of {worse.name}"
    if difference.low <= 0 <= difference.high:
        return f"{margin}; 95 % CI of the difference includes 0: no significant difference on these genes."
    return f"{margin}; 95 % CI of the difference excludes 0: {better.name} is significantly better on these genes."


def scored_on(runs: Sequence[RunContents]) -> str:
    """Return which cell type was scored, if a run was trained on others too; empty otherwise."""
    also = {run.name: ", ".join(run.also_trained_on) for run in runs if run.also_trained_on}
    if not also:
        return ""
    who = {name: "the run" if len(runs) == 1 else name for name in also}
    trained = "; ".join(f"{who[name]} was also trained on {others}" for name, others in also.items())
    return f"Scored on {runs[0].cell_type}; {trained}: choose with --cell-type."


def drop_table(run: RunContents) -> Table:
    """Return the scores with each signal set to zero, and the change of the MSE."""
    base = run.drops[()]["mse"].value
    rows = [
        (
            run.label(dropped),
            *(interval(scores[metric]) for metric in all_metrics()),
            _change(scores["mse"].value / base - 1) if dropped else "",
        )
        for dropped, scores in run.drops.items()
    ]
    return Table(("Signals", *(metric.label for metric in all_metrics().values()), "MSE change"), tuple(rows))


def data_table(data: DatasetContents) -> Table:
    """Return the share of bases with signal and the number of labels of each cell type."""
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
    return Table(
        ("Cell type", *(f"{s}: bases > 0" for s in signals), "Genes with a label", "Without a label"), tuple(rows)
    )


def facts_table(title: str, facts: Mapping[str, Mapping[str, str]]) -> Table:
    """Return the facts of several runs side by side; values that differ are bold."""
    names = list(dict.fromkeys(name for run in facts.values() for name in run))
    rows = tuple((name, *(run.get(name, "–") for run in facts.values())) for name in names)
    differing = {
        (index, column) for index, row in enumerate(rows) for column in range(1, len(row)) if len(set(row[1:])) > 1
    }
    return Table((title, *facts), rows, frozenset(differing))


def _change(share: float) -> str:
    text = f"{share:+.1%}"
    return "0.0%" if text in ("+0.0%", "-0.0%") else text.replace("-", "−")


def _difference(first: RunContents, other: RunContents, resamples: int) -> dict[str, Estimate]:
    """Return the metrics of ``other`` minus those of ``first`` on the genes that both have."""
    _, ours, theirs = np.intersect1d(first.gene_id.astype(str), other.gene_id.astype(str), return_indices=True)
    observed = first.observed[ours]
    return paired_bootstrap(observed, other.predicted[theirs], first.predicted[ours], resamples=resamples)
