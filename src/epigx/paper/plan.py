"""What a table or figure of the paper is, which runs it needs, and how it is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from epigx.engines import Engine, Outcome, Progress
from epigx.engines.training import train_all
from epigx.errors import RunError
from epigx.paper.pages import Contents, write_page
from epigx.paper.study import System
from epigx.runs.config import RunConfig
from epigx.runs.folder import open_run

__all__ = ["RULE", "PlannedRun", "TableOrFigure", "is_finished", "plan", "reproduce"]

RULE = (
    "CPU-hours are a rough estimate: 6 operations per weight, position, gene of a step and prediction of the "
    "objective, at 10 billion operations per second and core."
)


@dataclass(frozen=True)
class TableOrFigure(ABC):
    """A table or figure of the paper."""

    name: str  # argument of ``epigx reproduce``
    title: str
    caption: str  # what a reader needs to know

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems whose predictions are shown."""
        return ()

    def left_out(self) -> Mapping[str, list[str]]:
        """Return the rows that cannot be trained on this dataset, by reason."""
        return {}

    @abstractmethod
    def contents(self, out: Path, command: str, failures: Mapping[str, str]) -> Contents:
        """Score the finished runs and return the contents of the page.

        Parameters
        ----------
        failures : mapping of str to str
            By run: why its training failed.
        """


@dataclass(frozen=True)
class PlannedRun:
    """A run that a table or figure needs."""

    name: str
    config: RunConfig
    parameters: int  # of the model; 0 where they depend on the data
    cpu_hours: float  # rough estimate of the whole training
    state: Literal["done", "begun", "to do"]


def plan(items: Iterable[TableOrFigure], runs: Path) -> list[PlannedRun]:
    """Return each run once, ordered by seed, so that early results can be compared."""
    found = {
        name: PlannedRun(name, config, system.parameters.get("model", 0), system.cpu_hours, _state(runs / name))
        for item in items
        for system in item.systems
        for name, config in system.runs.items()
    }
    seeds = list(dict.fromkeys(run.config.method.seed_used for run in found.values()))
    return sorted(found.values(), key=lambda run: seeds.index(run.config.method.seed_used))


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


def is_finished(folder: Path) -> bool:
    """Whether the folder holds a run that reached its last step."""
    try:
        return open_run(folder).finished
    except RunError:
        return False


def _state(folder: Path) -> Literal["done", "begun", "to do"]:
    if is_finished(folder):
        return "done"
    return "begun" if (folder / "config.yaml").is_file() else "to do"
