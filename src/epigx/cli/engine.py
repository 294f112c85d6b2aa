"""Engines on the command line: ``--engine``, its settings, the progress of its tasks, and their failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from epigx.cli.console import emit, emit_json, warn
from epigx.cli.exit import DONE, FAILED
from epigx.cli.progress import Progress
from epigx.errors import ConfigError

if TYPE_CHECKING:
    from epigx.engines import Engine, Outcome

__all__ = ["Counted", "EngineName", "choose_engine", "divide", "refuse_settings", "report_outcomes"]

EngineName = Literal["local", "slurm", "dask"]

_AT_ONCE = {"local": "jobs", "slurm": "at_once", "dask": "workers"}
"""The setting of each engine for the number of tasks at a time."""

_ENGINE = "engine."


def divide(settings: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Separate the settings of the command from those of the engine, which start with ``engine.``.

    Examples
    --------
    >>> divide(["training.steps=10", "engine.partition=gpu"])
    (('training.steps=10',), ('partition=gpu',))
    """
    others = tuple(setting for setting in settings if not setting.startswith(_ENGINE))
    return others, tuple(setting.removeprefix(_ENGINE) for setting in settings if setting.startswith(_ENGINE))


def refuse_settings(settings: Iterable[str]) -> None:
    """Refuse settings of an engine where none is chosen.

    Raises
    ------
    ConfigError
        There are any.
    """
    for setting in settings:
        raise ConfigError(f"--set {setting} needs --engine.")


def choose_engine(name: str, jobs: int | None, settings: Sequence[str]) -> Engine:
    """Return an engine with its settings.

    Raises
    ------
    ConfigError
        A setting is unknown or has an invalid value.
    """
    from epigx.engines import Engine

    values = {"kind": name} | ({} if jobs is None else {_AT_ONCE[name]: jobs})
    return Engine.parse(values, source="" if jobs is None else f"--jobs {jobs}").override(*settings)


class Counted:
    """Counts the finished tasks of an engine for the progress bar."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self.total = total
        self.ended = 0

    def __call__(self, name: str, state: str) -> None:
        """Count a task that has ended, and show it."""
        self.ended += state != "started"
        self.progress(self.ended, self.total, f"{name} {state}")


def report_outcomes(outcomes: Sequence[Outcome], paths: Sequence[str], *, json: bool = False) -> int:
    """Warn of every task that failed, print the paths of the others, and return the exit status.

    Parameters
    ----------
    outcomes : sequence of Outcome
        How the tasks ended.
    paths : sequence of str
        The output of each task.
    json : bool
        Print names, states and errors as JSON instead of the paths.
    """
    for outcome in outcomes:
        if outcome.state == "failed":
            warn(f"{outcome.name} failed: {outcome.error}")
    if json:
        emit_json([vars(outcome) for outcome in outcomes])
    elif done := [path for outcome, path in zip(outcomes, paths, strict=True) if outcome.state != "failed"]:
        emit("\n".join(done))
    return FAILED if any(outcome.state == "failed" for outcome in outcomes) else DONE
