"""``reproduce``: train the runs that tables and figures need, score them, and write the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from epigx.engines import Engine, Outcome, Progress
from epigx.engines.training import train_all
from epigx.paper.pages import write_page
from epigx.paper.plan import TableOrFigure, plan

__all__ = ["reproduce"]


def reproduce(
    items: Sequence[TableOrFigure],
    out: str | Path,
    *,
    engine: Engine,
    command: str = "epigx reproduce",
    progress: Progress | None = None,
    written: Callable[[Path], None] | None = None,
) -> list[Outcome]:
    """Train the runs that are not trained yet, score them, and write a folder for each table or figure.

    After an interruption, call it again to continue: finished runs and kept predictions are used as they are. A run
    that fails leaves a gap in its tables, with the reason.

    Parameters
    ----------
    out : str or Path
        Folder for ``runs``, ``predictions`` and one folder per table or figure.
    progress : callable, optional
        Called with a run's name and ``started``, ``done``, ``failed`` or ``skipped``.

    Returns
    -------
    list of Outcome
        How each run ended.
    """
    out = Path(out)
    runs = {run.name: run.config for run in plan(items, out / "runs")}
    outcomes = train_all(runs, out / "runs", engine=engine, progress=progress) if runs else []
    failures = {outcome.name: outcome.error or "The run failed." for outcome in outcomes if outcome.state == "failed"}
    for item in items:
        page = write_page(item.contents(out, command, failures), out / item.name)
        if written is not None:
            written(page)
    return outcomes
