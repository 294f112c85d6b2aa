"""``write_report``: a report on runs as one HTML file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from epigx.dataset.store import Dataset, open_dataset
from epigx.errors import ConfigError
from epigx.evaluation.target import resolve_target, split_of
from epigx.report.collect import RunContents, gather_dataset, gather_run, names_of
from epigx.report.page import page
from epigx.runs.folder import Run
from epigx.runs.gene_selection import SplitName, rows_of
from epigx.system.atomic import atomic_file

__all__ = ["write_report"]


def write_report(
    runs: Sequence[Run],
    out: str | Path,
    *,
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    split: SplitName = "test",
    bootstrap: int = 1000,
    progress: Callable[[int, int], None] | None = None,
) -> list[RunContents]:
    """Score runs and write a report on them.

    Parameters
    ----------
    runs : sequence of Run
        The runs; the others are compared with the first.
    data : Dataset, str or Path, optional
        Dataset to score them on; the first run's own by default.
    cell_type : str, optional
        Cell type to score them on; by default the first one that the first run was trained on and that has labels.

    Returns
    -------
    list of RunContents
        The contents of the page, by run.

    Raises
    ------
    ConfigError
        No run is given, one is named twice, or ``bootstrap`` is below 1.
    LeakageError
        A run was trained on a chromosome to be scored.
    """
    names = names_of(runs)
    if bootstrap < 1:
        raise ConfigError(
            f"A report shows intervals, and {bootstrap} resamples give none. Use at least 1, better 1000."
        )
    cell_type = cell_type or _default_cell_type(runs[0], split, data)
    first = resolve_target(runs[0], split, data=data, cell_type=cell_type)
    others = [resolve_target(run, split, data=first.dataset, cell_type=first.cell_type) for run in runs[1:]]
    counts = [_scorings(run) for run in runs]
    found = []
    for number, (target, name) in enumerate(zip([first, *others], names, strict=True)):

        def report(done: int, _: int, before: int = sum(counts[:number])) -> None:
            if progress is not None:
                progress(before + done, sum(counts))

        found.append(gather_run(target, name, resamples=bootstrap, progress=report))
    splits = first.split_chromosomes.of(first.dataset.genes["chrom"].to_numpy())
    text = page(found, gather_dataset(first.dataset, first.cell_type, splits), split=split, resamples=bootstrap)
    with atomic_file(out) as partial:
        partial.write_text(text)
    return found


def _default_cell_type(run: Run, split: SplitName, data: Dataset | str | Path | None) -> str | None:
    """Return the first of several cell types that the run was trained on and that has labels; None: no choice."""
    trained, path = run.config.data.cell_types, data or run.config.data.path
    if len(trained) < 2 or not path:
        return None
    dataset = path if isinstance(path, Dataset) else open_dataset(path)
    rows = rows_of(dataset, split, split_of(run, dataset))
    known = [name for name in trained if name in dataset.cell_types]
    labelled = (name for name in known if np.isfinite(dataset.expression(name)[rows]).any())
    return next(labelled, None)


def _scorings(run: Run) -> int:
    """Return the number of scorings: with all signals, without each one, and without any."""
    n = len(run.inputs.signals)
    return 1 + n + (n > 1)
