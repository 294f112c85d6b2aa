"""Runs and a dataset to a table of predictions, with labels or without."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from epigx.dataset.store import Dataset, open_dataset
from epigx.errors import ConfigError
from epigx.evaluation.target import as_run, scope_of, split_of, trained_on
from epigx.runs.folder import Run
from epigx.runs.gene_selection import Part
from epigx.training.inference import predict_windows

__all__ = ["predict"]


def predict(
    runs: Run | str | Path | Iterable[Run | str | Path],
    *,
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    split: Part = "all",
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Predict expression by one run, or by several and their mean.

    Parameters
    ----------
    runs : Run, str or Path, or several of them
        Each reads the dataset by its own inputs.
    data : Dataset, str or Path, optional
        What to predict for; the first run's own dataset by default.
    cell_type : str, optional
        The cell type to predict for; it needs no labels.
    split : {"train", "valid", "test", "all"}
        Part of the runs' split.
    batch_size : int, optional
        Genes at a time; by default 32, and fewer where windows are long. The predictions do not depend on it.
    progress : callable, optional
        Called after each batch with the genes done, over all runs, and their number.

    Returns
    -------
    DataFrame
        One row a gene: ``gene_id``, ``symbol``, ``chrom``, ``tss`` (0-based), ``strand``; ``predicted`` log10(1 + x);
        for several runs ``sd``, the standard deviation between them (n − 1); ``observed``, NaN without label; and
        ``trained_on``, whether a run saw the gene, or others of its chromosome, in training.

    Raises
    ------
    ConfigError
        No run is given, or the runs hold out different chromosomes and a part of the split is asked for.
    DatasetError
        The dataset lacks something that a run reads.
    RunError
        A run is damaged.
    """
    opened = [as_run(run) for run in ([runs] if isinstance(runs, Run | str | Path) else runs)]
    if not opened:
        raise ConfigError("There is no run to predict with. Give at least one run folder.")
    if data is not None and not isinstance(data, Dataset):
        data = open_dataset(data)
    first = scope_of(opened[0], split, data=data, cell_type=cell_type, covered=False)
    dataset, rows = first.dataset, first.windows.row
    if split != "all" and len({split_of(run, dataset) for run in opened}) > 1:
        raise ConfigError(
            f"The runs hold out different chromosomes: there is no one {split!r} part. Predict for all genes."
        )
    scopes = [scope_of(run, split, data=dataset, cell_type=first.cell_type, covered=False) for run in opened]
    predicted = np.stack(
        [
            predict_windows(
                run.model(), scope.windows, batch_size=batch_size, progress=_among(progress, number, len(opened))
            )
            for number, (run, scope) in enumerate(zip(opened, scopes, strict=True))
        ]
    )
    table = dataset.genes.iloc[rows][["gene_id", "symbol", "chrom", "tss", "strand"]].reset_index(drop=True)
    table["predicted"] = predicted.mean(axis=0)
    if len(opened) > 1:
        table["sd"] = predicted.std(axis=0, ddof=1)
    table["observed"] = first.windows.expression
    table["trained_on"] = np.any([trained_on(run, table) for run in opened], axis=0)
    return table


def _among(progress: Callable[[int, int], None] | None, number: int, runs: int) -> Callable[[int, int], None] | None:
    """Count the genes of one run among those of all."""
    if progress is None:
        return None
    return lambda done, total: progress(number * total + done, runs * total)
