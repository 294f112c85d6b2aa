"""``write_report``: runs to one HTML file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from epigx.dataset.store import Dataset
from epigx.errors import ConfigError
from epigx.evaluation.target import resolve_target
from epigx.report.collect import gather_dataset, gather_run, names_of
from epigx.report.data import RunContents
from epigx.report.page import page
from epigx.runs.folder import Run
from epigx.runs.gene_selection import SplitName
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
    """Score runs and write the page about them.

    Parameters
    ----------
    runs : sequence of Run
        The runs; the others are compared with the first.
    out : str or Path
        HTML file to write.
    data : Dataset, str or Path, optional
        What to score them on; the first run's own dataset by default.
    cell_type : str, optional
        The cell type to score them on; the first run's own by default.
    split : {"train", "valid", "test", "all"}
        Part of the split to score.
    bootstrap : int
        Resamples for the 95 % intervals.
    progress : callable, optional
        Called with (scorings done, scorings in all).

    Returns
    -------
    list of RunContents
        What the page tells of each run.

    Raises
    ------
    ConfigError
        There is no run, one is named twice, or ``bootstrap`` is below 1.
    LeakageError
        A run was trained on a chromosome to be scored.
    """
    names = names_of(runs)
    if bootstrap < 1:
        raise ConfigError(
            f"A report shows intervals, and {bootstrap} resamples give none. Use at least 1, better 1000."
        )
    first = resolve_target(runs[0], split, data=data, cell_type=cell_type)
    others = [resolve_target(run, split, data=first.dataset, cell_type=first.cell_type) for run in runs[1:]]
    counts = [_scorings(run) for run in runs]
    found = []
    for number, (target, name) in enumerate(zip([first, *others], names, strict=True)):

        def report(done: int, _: int, before: int = sum(counts[:number])) -> None:
            if progress is not None:
                progress(before + done, sum(counts))

        found.append(gather_run(target, name, resamples=bootstrap, progress=report))
    parts = first.split_chromosomes.of(first.dataset.genes["chrom"].to_numpy())
    text = page(found, gather_dataset(first.dataset, first.cell_type, parts), split=split, resamples=bootstrap)
    with atomic_file(out) as partial:
        partial.write_text(text)
    return found


def _scorings(run: Run) -> int:
    """Return how often a run is scored: with all signals, without each, and without any."""
    n = len(run.inputs.signals)
    return 1 + n + (n > 1)
