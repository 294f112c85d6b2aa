"""Exhibits as tables of text: the paper's number beside ours, the spread over seeds, the difference to a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from epigx.metrics import METRICS, Estimate
from epigx.paper.items import Trained
from epigx.paper.pages.contents import CountResults, LocusResults, Results, RowResult, ScoreResults
from epigx.paper.published import CELL_TYPE, SYSTEMS, Published
from epigx.report.tables import Table, interval

__all__ = ["count_table", "frame", "locus_table", "missing", "own_cell_type", "score_table", "spread"]

SHOWN = ("mse", "mae", "pearson")
"""The metrics of the paper's tables."""

_LOWER = {"mse", "mae"}


@dataclass(frozen=True)
class Cell:
    """A place in a table that is ranked.

    Parameters
    ----------
    row, column : int
        Where.
    value : float
        By what; lower is better.
    """

    row: int
    column: int
    value: float


def score_table(results: ScoreResults, cell_type: str) -> Table:
    """Lay out the rows of a cell type; the best of each group is marked, and the second."""
    rows = [result for result in results.rows if result.row.cell_type == cell_type]
    grouped = any(result.row.group for result in rows)
    baselines = {result.row.label for result in rows if result.row.baseline}
    baseline = baselines.pop() if len(baselines) == 1 else "the row of its group without one"
    whose = own_cell_type(cell_type) or CELL_TYPE
    head = ["Group"] * grouped + ["System", "bp"]
    for metric in SHOWN:
        head += [METRICS[metric].label, f"paper, {whose}"]
    head += ["Seeds", f"MSE, difference to {baseline}", f"r, difference to {baseline}"]
    cells = tuple(_cells(result, grouped) for result in rows)
    ranks = _ranks(rows, first=2 + grouped)
    return Table(tuple(head), cells, best=_places(ranks, 0), second=_places(ranks, 1))


def _cells(result: RowResult, grouped: bool) -> tuple[str, ...]:
    row = result.row
    cells = [row.group] * grouped + [row.label, "" if result.window is None else f"{result.window:,}"]
    for metric in SHOWN:
        cells += [spread(result.mean(metric), result.deviation(metric)), _printed(row.published, metric)]
    cells.append(
        str(len(result.scores)) if isinstance(row.system, Trained) and row.system.is_random and result.scores else ""
    )
    cells += [_difference(result, metric) for metric in ("mse", "pearson")]
    return tuple(cells)


def spread(mean: float, deviation: float | None) -> str:
    """Write a mean with its standard deviation as the paper does.

    Examples
    --------
    >>> spread(0.17891, 0.00412), spread(0.5, None), spread(float("nan"), None)
    ('0.1789 ± 0.0041', '0.5000', '–')
    """
    if np.isnan(mean):
        return "–"
    text = f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"
    return text.replace("-", "−")


def _printed(published: Published | None, metric: str) -> str:
    value = getattr(published, metric, None)
    return "" if value is None else spread(value, getattr(published, f"{metric}_sd"))


def _difference(result: RowResult, metric: str) -> str:
    if result.row.baseline or metric not in result.difference:
        return ""
    estimate = result.difference[metric]
    return _signed(estimate)


def _signed(estimate: Estimate) -> str:
    text = interval(estimate)
    return text if text.startswith("−") else f"+{text}"


def _ranks(rows: list[RowResult], first: int) -> list[list[Cell]]:
    """Sort the rows of each group by each metric."""
    ranks = []
    for group in dict.fromkeys(result.row.group for result in rows):
        for place, metric in enumerate(SHOWN):
            sign = 1 if metric in _LOWER else -1
            found = [
                Cell(at, first + 2 * place, sign * result.mean(metric))
                for at, result in enumerate(rows)
                if result.row.group == group and np.isfinite(result.mean(metric))
            ]
            ranks.append(sorted(found, key=lambda cell: cell.value))
    return ranks


def _places(ranks: list[list[Cell]], rank: int) -> frozenset[tuple[int, int]]:
    """Return where the best (0) or the second (1) stand, in groups of more than two."""
    return frozenset((cells[rank].row, cells[rank].column) for cells in ranks if len(cells) > 2)


def own_cell_type(cell_type: str) -> str | None:
    """Return the paper's name of a cell type, if the paper has it."""
    return {name.lower(): name for name in SYSTEMS}.get(cell_type.lower())


def missing(results: ScoreResults) -> list[str]:
    """Say of each row without all its runs why, each reason once."""
    rows = [result for result in results.rows if result.missing]
    reasons: dict[str, list[str]] = {}
    for result in rows:
        label = " · ".join(filter(None, (result.row.cell_type, result.row.group, result.row.label)))
        reasons.setdefault(result.missing, []).append(label)
    return [f"{', '.join(labels)}: {reason}" for reason, labels in reasons.items()]


def count_table(results: CountResults) -> Table:
    """Lay out parameter counts."""
    rows = [
        (label, f"{model:,}", f"{objective:,}" if objective else "", f"{model + objective:,}", printed)
        for label, printed, model, objective in results.exhibit.rows
    ]
    return Table(("System", "Model", "Objective", "In training", "paper"), tuple(rows))


def locus_table(results: LocusResults) -> Table:
    """Lay out the genes that were found."""
    labels = list(dict.fromkeys(label for gene in results.genes for label in gene.predicted))
    rows = []
    for gene in results.genes:
        cells = [_mean_spread(gene.predicted.get(label)) for label in labels]
        where = f"{gene.chrom}:{gene.tss + 1:,} ({gene.strand})"
        rows.append(
            (gene.cell_type, gene.symbol, gene.gene_id, where, f"{gene.score:.2f}", f"{gene.observed:.4f}", *cells)
        )
    head = ("Cell type", "Gene", "Identifier", "TSS", "Match", "Observed", *labels)
    return Table(head, tuple(rows))


def _mean_spread(values: np.ndarray | None) -> str:
    if values is None or not len(values):
        return "–"
    return spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None)


def frame(results: Results) -> pd.DataFrame:
    """Return an exhibit as numbers in columns, for its TSV."""
    if isinstance(results, CountResults):
        columns = ["system", "paper", "model", "objective"]
        return pd.DataFrame(list(results.exhibit.rows), columns=columns)
    if isinstance(results, LocusResults):
        return pd.DataFrame([_locus_record(results, number) for number in range(len(results.genes))])
    return pd.DataFrame([_record(result) for result in results.rows])


def _record(result: RowResult) -> Mapping[str, object]:
    row = result.row
    record: dict[str, object] = {"cell_type": row.cell_type, "group": row.group, "system": row.label}
    record |= {"window": result.window, "dropped": ",".join(row.drop), "seeds": len(result.scores)}
    record["genes"] = result.scores[0].n_genes if result.scores else None
    for metric in METRICS:
        record |= {metric: result.mean(metric), f"{metric}_sd": result.deviation(metric)}
        if metric in SHOWN:
            record[f"{metric}_paper"] = getattr(row.published, metric, None)
            record[f"{metric}_sd_paper"] = getattr(row.published, f"{metric}_sd", None)
    for metric, estimate in result.difference.items():
        name = f"{metric}_difference"
        record |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return record | {"missing": result.missing}


def _locus_record(results: LocusResults, number: int) -> Mapping[str, object]:
    gene = results.genes[number]
    record: dict[str, object] = {"cell_type": gene.cell_type, "gene_id": gene.gene_id, "symbol": gene.symbol}
    record |= {"chrom": gene.chrom, "tss": gene.tss, "strand": gene.strand, "match": gene.score}
    record["observed"] = gene.observed
    for label, values in gene.predicted.items():
        name = label.lower().replace(" w/ ", " ").replace(" ", "_")
        record |= {
            name: float(np.mean(values)),
            f"{name}_sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        }
    return record
