"""Tables and figures of scores: mean and spread over seeds, and the difference to a baseline on the same genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from epigx.dataset.store import Dataset
from epigx.evaluation.evaluate import evaluate
from epigx.metrics import METRICS, Estimate, Metrics, all_metrics, metrics, paired_bootstrap
from epigx.paper import figures
from epigx.paper.pages import Contents, Section, describe_study, is_simulated
from epigx.paper.plan import TableOrFigure, is_finished
from epigx.paper.published import CELL_TYPE, Published, own_cell_type
from epigx.paper.study import Study, System
from epigx.report.tables import Table, interval
from epigx.system.atomic import atomic_file

__all__ = ["Row", "RowResult", "ScoreTable", "predict_test_genes", "score_frame", "score_table", "spread"]

SHOWN = ("mse", "mae", "pearson")
"""The metrics of the paper's tables."""

NOTE = (
    "Scores are of log₁₀(1 + x) over all test genes at once: mean ± standard deviation over seeds; bold is the best of "
    "its group, underlined the second. Differences are averaged over seeds; brackets are 95 % intervals from 1,000 "
    "bootstrap resamples of the same genes for both systems."
)


@dataclass(frozen=True)
class Row:
    """A row of a table, or a mark in a figure."""

    label: str
    cell_type: str  # the cell type; each has its own table
    system: System
    group: str = ""  # heading of the rows that it is ranked among
    drop: tuple[str, ...] = ()  # signals that are set to zero at test time
    window: int | None = None  # bp read at test time, if not those of training
    x: float | None = None  # position on the x axis of a figure
    baseline: bool = False  # the other rows of its group are compared with it
    published: Published | None = None

    @property
    def title(self) -> str:
        """Cell type, group and label."""
        return " · ".join(filter(None, (self.cell_type, self.group, self.label)))

    @property
    def length(self) -> int | None:
        """The bp that it reads; None if it cannot be trained, or reads elements instead of a window."""
        return None if self.system.reads_elements else self.window or self.system.window


@dataclass(frozen=True)
class RowResult:
    """A row with its scores."""

    row: Row
    scores: tuple[Metrics, ...]  # one per finished run
    difference: Mapping[str, Estimate]  # its metrics minus the baseline's, on the same genes, averaged over seeds
    missing: str = ""  # why runs are missing

    def mean(self, metric: str) -> float:
        """Return the mean of a metric over seeds; NaN without scores."""
        return float(np.mean([score[metric] for score in self.scores])) if self.scores else float("nan")

    def deviation(self, metric: str) -> float | None:
        """Return the standard deviation over seeds (n - 1); None for a single seed."""
        values = [score[metric] for score in self.scores]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def paper(self, metric: str) -> float | None:
        """Return the paper's number."""
        value: float | None = getattr(self.row.published, metric, None)
        return value


@dataclass(frozen=True)
class ScoreTable(TableOrFigure):
    """Scores on the test chromosomes."""

    study: Study  # what the rows are trained and scored on
    rows: tuple[Row, ...]
    axis: str = ""  # what Row.x measures; empty where the figure lists the rows by name

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems whose predictions are shown."""
        return tuple(row.system for row in self.rows)

    def left_out(self) -> dict[str, list[str]]:
        """Return the rows that cannot be trained on this dataset, by reason."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if row.system.reason:
                found.setdefault(row.system.reason, []).append(f"{row.label} ({self.name}, {row.cell_type})")
        return found

    def score(self, out: Path, failures: Mapping[str, str]) -> list[RowResult]:
        """Score each row by its finished runs; parameters are those of :meth:`contents`."""
        tables = [predict_test_genes(row, self.study.dataset, out) for row in self.rows]
        baselines = {
            (row.cell_type, row.group): table
            for row, table in zip(self.rows, tables, strict=True)
            if row.baseline and len(table.columns)
        }
        results = []
        for row, table in zip(self.rows, tables, strict=True):
            baseline = None if row.baseline else baselines.get((row.cell_type, row.group))
            observed = table.get("observed", pd.Series(dtype=float))
            scores = tuple(metrics(observed, table[seed]) for seed in table if seed != "observed")
            difference = _difference(table, baseline) if scores and baseline is not None else {}
            results.append(RowResult(row, scores, difference, _missing(row, len(scores), failures)))
        return results

    def contents(self, out: Path, command: str, failures: Mapping[str, str]) -> Contents:
        """Score the finished runs and return the contents of the page."""
        return self.layout(self.score(out, failures), command)

    def layout(self, results: Sequence[RowResult], command: str) -> Contents:
        """Return the page of rows that were scored, one section per cell type."""
        sections = []
        for cell_type in dict.fromkeys(result.row.cell_type for result in results):
            rows = [result for result in results if result.row.cell_type == cell_type]
            drawn = {}
            if any(result.scores for result in rows):
                drawn = {cell_type: figures.curves(rows, self.axis) if self.axis else figures.marks(rows)}
            sections.append(Section(cell_type, score_table(rows), drawn))
        return Contents(
            self.name, self.title, self.caption, tuple(sections), score_frame(results),
            note=NOTE, about=describe_study(self.study, command), simulated=is_simulated(self.study),
            missing=tuple(_missing_lines(results)),
        )  # fmt: skip


def predict_test_genes(row: Row, dataset: Dataset, out: Path) -> pd.DataFrame:
    """Predict the genes of the test chromosomes by each finished run; each prediction is computed once and kept.

    Returns
    -------
    DataFrame
        Indexed by gene: ``observed``, and one column per finished run, named by its seed (``"fit"`` where nothing is
        random); no columns if no run is finished.
    """
    found: list[pd.DataFrame] = []
    for name, config in row.system.runs.items():
        if is_finished(out / "runs" / name):
            seed = config.method.seed_used
            column = "fit" if seed is None else str(seed)
            found.append(_predict(name, row, dataset, out).rename(columns={"predicted": column}))
    if not found:
        return pd.DataFrame(index=pd.Index([], name="gene_id"))
    return pd.concat([found[0][["observed"]], *(table.drop(columns="observed") for table in found)], axis=1)


def _predict(name: str, row: Row, dataset: Dataset, out: Path) -> pd.DataFrame:
    without = f"-without-{'-'.join(row.drop)}" if row.drop else ""
    shorter = f"-{row.window}bp" if row.window else ""
    kept = out / "predictions" / f"{name}{without}{shorter}.parquet"
    if not kept.is_file():
        scored = evaluate(
            out / "runs" / name, data=dataset, cell_type=row.cell_type, drop=row.drop, window=row.window, bootstrap=0
        )
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(kept) as partial:
            scored.genes[["gene_id", "observed", "predicted"]].to_parquet(partial, index=False)
    return pd.read_parquet(kept).set_index("gene_id")


def _difference(predicted: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, Estimate]:
    """Compare two systems on the genes that both were scored on, averaged over the seeds of each."""
    genes = predicted.index.intersection(baseline.index)
    one, other = (table.loc[genes].drop(columns="observed").to_numpy(np.float64).T for table in (predicted, baseline))
    return paired_bootstrap(predicted.loc[genes, "observed"].to_numpy(), one, other)


def _missing(row: Row, scored: int, failures: Mapping[str, str]) -> str:
    """Return why a row lacks runs."""
    if scored == len(row.system.runs):
        return row.system.reason
    failed = [failures[name] for name in row.system.runs if name in failures]
    return failed[0] if failed else f"{len(row.system.runs) - scored} of {len(row.system.runs)} runs are not trained."


def _missing_lines(results: Sequence[RowResult]) -> list[str]:
    """Return each reason once, with the rows that lack runs for it."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.missing:
            reasons.setdefault(result.missing, []).append(result.row.title)
    return [f"{', '.join(titles)}: {reason}" for reason, titles in reasons.items()]


def score_table(rows: Sequence[RowResult]) -> Table:
    """Lay out the rows of one cell type; the best and the second of each group are marked."""
    grouped = any(result.row.group for result in rows)
    baselines = {result.row.label for result in rows if result.row.baseline}
    baseline = baselines.pop() if len(baselines) == 1 else "the reference row of its group"
    whose = own_cell_type(rows[0].row.cell_type) or CELL_TYPE
    head = ["Group"] * grouped + ["System", "bp"]
    for metric in SHOWN:
        head += [METRICS[metric].label, f"paper, {whose}"]
    head += ["Seeds", f"MSE, difference to {baseline}", f"r, difference to {baseline}"]
    ranks = _ranks(rows, first=2 + grouped)
    best, second = (frozenset(cells[rank] for cells in ranks if len(cells) > 2) for rank in (0, 1))
    return Table(tuple(head), tuple(_cells(result, grouped) for result in rows), best, second)


def _cells(result: RowResult, grouped: bool) -> tuple[str, ...]:
    row = result.row
    cells = [row.group] * grouped + [row.label, "" if row.length is None else f"{row.length:,}"]
    for metric in SHOWN:
        printed = result.paper(metric)
        deviation = getattr(row.published, f"{metric}_sd", None)
        cells += [
            spread(result.mean(metric), result.deviation(metric)),
            "" if printed is None else spread(printed, deviation),
        ]
    cells.append(str(len(result.scores)) if row.system.is_random and result.scores else "")
    for metric in ("mse", "pearson"):
        shown = "" if row.baseline or metric not in result.difference else interval(result.difference[metric])
        cells.append(shown if not shown or shown.startswith("−") else f"+{shown}")
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


def _ranks(rows: Sequence[RowResult], first: int) -> list[list[tuple[int, int]]]:
    """Sort the rows of each group by each metric, best first, as (row, column) of their cells."""
    ranks = []
    for group in dict.fromkeys(result.row.group for result in rows):
        for number, metric in enumerate(SHOWN):
            sign = -1 if METRICS[metric].higher_is_better else 1
            values = {
                (index, first + 2 * number): sign * result.mean(metric)
                for index, result in enumerate(rows)
                if result.row.group == group and np.isfinite(result.mean(metric))
            }
            ranks.append(sorted(values, key=values.__getitem__))
    return ranks


def score_frame(results: Sequence[RowResult]) -> pd.DataFrame:
    """Return the rows as numbers, for the TSV."""
    return pd.DataFrame([_record(result) for result in results])


def _record(result: RowResult) -> dict[str, object]:
    row = result.row
    record: dict[str, object] = {
        "cell_type": row.cell_type, "group": row.group, "system": row.label, "window": row.length,
        "dropped": ",".join(row.drop), "seeds": len(result.scores),
        "genes": result.scores[0].n_genes if result.scores else None,
    }  # fmt: skip
    for metric in all_metrics():
        record |= {metric: result.mean(metric), f"{metric}_sd": result.deviation(metric)}
        if metric in SHOWN:
            record[f"{metric}_paper"] = result.paper(metric)
            record[f"{metric}_sd_paper"] = getattr(row.published, f"{metric}_sd", None)
    for metric, estimate in result.difference.items():
        name = f"{metric}_difference"
        record |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return record | {"missing": result.missing}
