"""Scores of a run: all genes of a split at once, and never genes that the run was trained on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset.store import Dataset
from epigx.errors import DatasetError, LeakageError
from epigx.evaluation.target import Target, as_run, resolve_target, trained_on
from epigx.metrics import Estimate, Metrics, all_metrics, metrics
from epigx.metrics import bootstrap as resample
from epigx.runs.folder import Run
from epigx.runs.gene_selection import SplitName
from epigx.runs.method import Progress

__all__ = ["Evaluation", "evaluate", "evaluate_target"]


@dataclass(frozen=True)
class Evaluation:
    """The scores of a run.

    Parameters
    ----------
    run, data : Path
        Run folder and dataset folder.
    cell_type, split : str
        Which genes were scored.
    window : int, bp
        Length of the windows read.
    drop : tuple of str
        Signals that were set to zero.
    metrics : Metrics
        The scores.
    intervals : mapping of str to Estimate
        Their 95 % bootstrap intervals over genes; empty when none were asked for.
    n_without_label, n_low_coverage : int
        Genes of the split that were left out: without label, with too many N bases.
    overlap : tuple of str
        Scored chromosomes with genes that the run was trained on.
    genes : DataFrame
        ``gene_id``, ``chrom``, ``observed``, ``predicted``; one row per scored gene.
    """

    run: Path
    data: Path
    cell_type: str
    split: SplitName
    window: int
    drop: tuple[str, ...]
    metrics: Metrics
    intervals: Mapping[str, Estimate]
    n_without_label: int
    n_low_coverage: int
    overlap: tuple[str, ...]
    genes: pd.DataFrame = field(repr=False, compare=False)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{all_metrics()[name].label}</th><td>{value:.4f}</td>"
            + (f"<td>{self.intervals[name].low:.4f} – {self.intervals[name].high:.4f}</td>" if self.intervals else "")
            + "</tr>"
            for name, value in self.metrics.scores.items()
        )
        about = f"{escape(str(self.run))} on {escape(self.cell_type)}, {self.split}: {self.metrics.n_genes:,} genes"
        return f"<table><caption>{about}</caption>{rows}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: the metrics by name, then the run and the data."""
        return {
            **self.metrics.to_dict(),
            "intervals": {name: [estimate.low, estimate.high] for name, estimate in self.intervals.items()},
            "run": str(self.run),
            "data": str(self.data),
            "cell_type": self.cell_type,
            "split": self.split,
            "window": self.window,
            "drop": list(self.drop),
            "n_without_label": self.n_without_label,
            "n_low_coverage": self.n_low_coverage,
            "overlap": list(self.overlap),
        }


def evaluate(
    run: Run | str | Path,
    *,
    split: SplitName = "test",
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    drop: Collection[str] = (),
    window: int | None = None,
    allow_overlap: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a run; a network by its standard prediction h(X, H).

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder.
    split : {"train", "valid", "test", "all"}
        Which genes of the run's split.
    data : Dataset, str or Path, optional
        Another dataset than the run's own; it needs the same signals and features.
    cell_type : str, optional
        Another cell type than the run's own.
    drop : collection of str
        Signals to set to zero (Table 5); features that were computed from them stay (docs/decisions/0012).
    window : int, optional
        Read only this many bp around the TSS (Table 2).
    allow_overlap : bool
        Also score on chromosomes that the run was trained on.
    bootstrap : int
        Resamples for the intervals; 0: none.
    seed : int
        Seed of the resamples.
    batch_size : int, optional
        Genes at a time; by default 32, and fewer where windows are long. The scores do not depend on it.
    progress : callable, optional
        Called after each batch with the number of genes done and their total.

    Raises
    ------
    LeakageError
        The run was trained on a chromosome or a gene to be scored, and ``allow_overlap`` is false.
    DatasetError
        No gene of the split has a label, or the dataset lacks something that the run reads.
    RunError
        The run is damaged.
    """
    run = as_run(run)
    target = resolve_target(run, split, data=data, cell_type=cell_type).replace(drop=drop, window=window)
    return evaluate_target(
        target, allow_overlap=allow_overlap, bootstrap=bootstrap, seed=seed, batch_size=batch_size, progress=progress
    )


def evaluate_target(
    target: Target,
    *,
    allow_overlap: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score the run of a target on its genes; parameters and errors are those of :func:`evaluate`."""
    run, windows = target.run, target.windows.labelled()
    if not len(windows):
        raise DatasetError(
            f"{target.dataset.path}: no gene of the split {target.split!r} has a label in {target.cell_type}. "
            "Choose another split or cell type; `predict` needs no labels."
        )
    chosen = target.dataset.genes.iloc[windows.row]
    chrom = chosen["chrom"].to_numpy()
    overlap = tuple(dict.fromkeys(chrom[trained_on(run, chosen)]))
    if overlap and not allow_overlap:
        raise LeakageError(_leak(run, overlap))
    predicted = run.fitted.predict(windows, batch_size=batch_size, progress=progress)
    observed = windows.expression
    return Evaluation(
        run=run.path,
        data=target.dataset.path,
        cell_type=target.cell_type,
        split=target.split,
        window=windows.inputs.window,
        drop=tuple(sorted(windows.drop)),
        metrics=metrics(observed, predicted),
        intervals=resample(observed, predicted, resamples=bootstrap, seed=seed) if bootstrap else {},
        n_without_label=len(target.windows) - len(windows),
        n_low_coverage=target.n_low_coverage,
        overlap=overlap,
        genes=pd.DataFrame({"gene_id": windows.gene_id, "chrom": chrom, "observed": observed, "predicted": predicted}),
    )


def _leak(run: Run, overlap: tuple[str, ...]) -> str:
    named = ", ".join(overlap[:4]) + (f" and {len(overlap) - 4} more" if len(overlap) > 4 else "")
    return (
        f"{run.path} was trained on genes of {named}, so scores there say nothing about unseen genes. "
        "Choose the split test, or allow it (allow_overlap, --allow-overlap)."
    )
