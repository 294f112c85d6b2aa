"""Predictions of one run, or of several as an ensemble, as a table; with labels or without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from epigx.dataset.store import Dataset
from epigx.errors import ConfigError
from epigx.evaluation.target import as_run, resolve_target, trained_on
from epigx.runs.folder import Run
from epigx.runs.gene_selection import SplitName
from epigx.runs.method import Progress

__all__ = ["predict"]


def predict(
    runs: Run | str | Path | Iterable[Run | str | Path],
    data: Dataset | str | Path | None = None,
    *,
    cell_type: str | None = None,
    genes: Sequence[str] | None = None,
    split: SplitName = "all",
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Predict expression by one run, or by several and their mean; the runs may be of different methods.

    Parameters
    ----------
    runs : Run, str or Path, or several of them
        Each reads the dataset by its own inputs.
    data : Dataset, str or Path, optional
        What to predict for; the first run's own dataset by default.
    cell_type : str, optional
        The cell type to predict for; it needs no labels.
    genes : sequence of str, optional
        Only these genes, by symbol or identifier, in this order.
    split : {"train", "valid", "test", "all"}
        Which genes of the runs' split.
    batch_size : int, optional
        Genes at a time; by default 32, and fewer where windows are long. The predictions do not depend on it.
    progress : callable, optional
        Called after each batch with the number of genes done, over all runs, and their total.

    Returns
    -------
    DataFrame
        One row per gene: ``gene_id``, ``symbol``, ``chrom``, ``tss`` (0-based), ``strand``; ``predicted`` log10(1 + x),
        at least 0; for several runs ``sd``, the standard deviation between them (n − 1); ``observed``, NaN without
        label; ``trained_on``, whether a run saw the gene, or others of its chromosome, in training; ``dna_coverage``,
        the share of the dataset's window with known bases; and ``low_coverage``, whether that is below what the first
        run was trained with, so that ``evaluate`` leaves the gene out.

    Raises
    ------
    ConfigError
        No run is given, or the runs hold out different chromosomes and one split is asked for.
    DatasetError
        The dataset lacks something that a run reads, or a gene that was named.
    RunError
        A run is damaged.
    """
    opened = [as_run(run) for run in ([runs] if isinstance(runs, Run | str | Path) else runs)]
    if not opened:
        raise ConfigError("No run to predict with. Give at least one run folder.")
    first = resolve_target(opened[0], split, data=data, cell_type=cell_type, genes=genes, filter_by_coverage=False)
    others = [
        resolve_target(run, split, data=first.dataset, cell_type=first.cell_type, genes=genes, filter_by_coverage=False)
        for run in opened[1:]
    ]
    targets = [first, *others]
    if split != "all" and len({target.split_chromosomes for target in targets}) > 1:
        raise ConfigError(
            f"The runs hold out different chromosomes: there is no common {split!r} split. Predict all genes "
            "(--split all)."
        )
    predicted = np.stack(
        [
            target.run.fitted.predict(
                target.windows, batch_size=batch_size, progress=_among(progress, number, len(targets))
            )
            for number, target in enumerate(targets)
        ]
    )
    chosen = first.dataset.genes.iloc[first.windows.row].reset_index(drop=True)
    table = chosen[["gene_id", "symbol", "chrom", "tss", "strand"]].copy()
    # Expression is not negative; a regression may fall slightly below 0 for silent genes.
    table["predicted"] = np.maximum(predicted.mean(axis=0), 0)
    if len(targets) > 1:
        table["sd"] = predicted.std(axis=0, ddof=1)
    table["observed"] = first.windows.expression
    table["trained_on"] = np.any([trained_on(target.run, table) for target in targets], axis=0)
    table["dna_coverage"] = chosen["dna_coverage"]
    table["low_coverage"] = chosen["dna_coverage"] < first.run.config.data.min_dna_coverage
    return table


def _among(progress: Progress | None, number: int, runs: int) -> Progress | None:
    """Count the genes of one run among those of all."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, runs * total)
