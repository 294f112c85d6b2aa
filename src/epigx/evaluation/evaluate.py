"""A run and a split to scores: one pass of the model per gene, the whole split at once, no gene it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset.store import Dataset
from epigx.errors import DatasetError, LeakageError
from epigx.evaluation.metrics import Estimate, Metrics, metrics
from epigx.evaluation.metrics import bootstrap as resample
from epigx.evaluation.target import Scope, as_run, scope_of, trained_on
from epigx.runs.folder import Run
from epigx.runs.gene_selection import Part
from epigx.training.inference import predict_windows

__all__ = ["Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """The scores of a run.

    Parameters
    ----------
    run, data : Path
        Run folder and dataset folder.
    cell_type, split : str
        The genes scored.
    window : int, bp
        What was read of them.
    drop : tuple of str
        Signals that were set to zero.
    metrics : Metrics
        The scores.
    intervals : mapping of str to Estimate
        Their 95 % bootstrap intervals over genes; empty when none were asked for.
    n_without_label, n_low_coverage : int
        Genes of the split that were left out.
    overlap : tuple of str
        Chromosomes scored although the run was trained on genes of theirs.
    genes : DataFrame
        ``gene_id``, ``chrom``, ``observed``, ``predicted``, one row a gene scored.
    """

    run: Path
    data: Path
    cell_type: str
    split: Part
    window: int
    drop: tuple[str, ...]
    metrics: Metrics
    intervals: Mapping[str, Estimate]
    n_without_label: int
    n_low_coverage: int
    overlap: tuple[str, ...]
    genes: pd.DataFrame = field(repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: the metrics by name, then what they are of."""
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
    split: Part = "test",
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    drop: Collection[str] = (),
    window: int | None = None,
    allow_overlap: bool = False,
    bootstrap: int = 1000,
    seed: int = 0,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Score a run by its standard prediction h(X, H).

    Parameters
    ----------
    run : Run, str or Path
        The run, or its folder.
    split : {"train", "valid", "test", "all"}
        Part of the run's split.
    data : Dataset, str or Path, optional
        Another dataset than the run's own; it needs the same signals and features.
    cell_type : str, optional
        Another cell type than the run's own.
    drop : collection of str
        Signals to set to zero (Table 5); features that were computed from them stay (docs/decisions/0012).
    window : int, optional
        Read only this many bp around the TSS (Table 2).
    allow_overlap : bool
        Score on chromosomes that the run was trained on, too.
    bootstrap : int
        Resamples for the intervals; 0: none.
    seed : int
        Seed of the resamples.
    batch_size : int, optional
        Genes at a time; by default 32, and fewer where windows are long. The scores do not depend on it.
    progress : callable, optional
        Called after each batch with the genes done and their number.

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
    scope = scope_of(run, split, data=data, cell_type=cell_type, drop=drop, window=window)
    windows = scope.windows.labelled()
    if not len(windows):
        raise DatasetError(
            f"{scope.dataset.path}: no gene of the split {split!r} has a label in {scope.cell_type}. "
            "Choose another split or cell type; `predict` needs no labels."
        )
    chosen = scope.dataset.genes.iloc[windows.row]
    chrom = chosen["chrom"].to_numpy()
    overlap = tuple(dict.fromkeys(chrom[trained_on(run, chosen)]))
    if overlap and not allow_overlap:
        raise LeakageError(_leak(run, overlap))
    predicted = predict_windows(run.model(), windows, batch_size=batch_size, progress=progress)
    observed = windows.expression
    return Evaluation(
        run=run.path,
        data=scope.dataset.path,
        cell_type=scope.cell_type,
        split=split,
        window=windows.inputs.window,
        drop=tuple(sorted(windows.drop)),
        metrics=metrics(observed, predicted),
        intervals=resample(observed, predicted, resamples=bootstrap, seed=seed) if bootstrap else {},
        n_without_label=_without_label(scope),
        n_low_coverage=scope.n_low_coverage,
        overlap=overlap,
        genes=pd.DataFrame({"gene_id": windows.gene_id, "chrom": chrom, "observed": observed, "predicted": predicted}),
    )


def _without_label(scope: Scope) -> int:
    return len(scope.windows) - len(scope.windows.labelled())


def _leak(run: Run, overlap: tuple[str, ...]) -> str:
    named = ", ".join(overlap[:4]) + (f" and {len(overlap) - 4} more" if len(overlap) > 4 else "")
    return (
        f"{run.path} was trained on genes of {named}: scores there say nothing about unseen genes. "
        "Choose the split test, or allow it (allow_overlap, --allow-overlap)."
    )
