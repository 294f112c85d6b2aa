"""``reproduce``: exhibits to folders, by way of all the runs that they need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from epigx.engines import Engine, Outcome, Progress
from epigx.engines.training import train_all
from epigx.paper.items import Exhibit
from epigx.paper.pages import write_exhibit
from epigx.paper.plan import plan
from epigx.paper.results import gather
from epigx.paper.study import Study

__all__ = ["reproduce"]


def reproduce(
    exhibits: Sequence[Exhibit],
    study: Study | None,
    out: str | Path,
    *,
    engine: Engine,
    command: str = "epigx reproduce",
    progress: Progress | None = None,
    shown: Callable[[Path], None] | None = None,
) -> list[Outcome]:
    """Train what exhibits need and is not trained yet, score it, and write each exhibit's folder.

    Called again after it was stopped, it goes on where each run was; finished runs and kept predictions are not done
    again. A run that fails leaves a gap in its tables, which say why.

    Parameters
    ----------
    exhibits : sequence of Exhibit
        From :mod:`epigx.paper`, all planned on ``study``.
    study : Study or None
        Dataset, cell types, seeds, scale and settings; none where all exhibits are of parameters alone.
    out : str or Path
        Folder for ``runs``, ``predictions`` and a folder of each exhibit's name.
    engine : Engine
        Where to train.
    command : str
        What the pages say they were made by.
    progress : callable, optional
        Called with a run's name and ``started``, ``done``, ``failed`` or ``skipped``.
    shown : callable, optional
        Called with each exhibit's page once it is written.

    Returns
    -------
    list of Outcome
        How each run ended.
    """
    out = Path(out)
    planned = plan(exhibits, study.dataset, out / "runs") if study else []
    runs = {run.name: run.config for run in planned}
    outcomes = train_all(runs, out / "runs", engine=engine, progress=progress) if runs else []
    failures = {outcome.name: outcome.error or "The run failed." for outcome in outcomes if outcome.state == "failed"}
    for exhibit in exhibits:
        page = write_exhibit(gather(exhibit, study, out, command, failures), out / exhibit.name)
        if shown is not None:
            shown(page)
    return outcomes
