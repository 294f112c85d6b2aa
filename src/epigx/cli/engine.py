"""Engines on the command line: ``--engine``, its settings, the progress of its tasks, and their failures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from epigx.cli.console import emit, emit_json, warn
from epigx.cli.exit import DONE, FAILED
from epigx.cli.progress import Progress
from epigx.errors import ConfigError

if TYPE_CHECKING:
    from epigx.engines import Engine, Outcome

__all__ = ["Counted", "EngineName", "choose_engine", "report_failures", "run_tasks"]

EngineName = Literal["local", "slurm", "dask"]

_AT_ONCE = {"local": "jobs", "slurm": "at_once", "dask": "workers"}
"""The setting of each engine for the number of tasks at a time."""

_ENGINE = "engine."


def choose_engine(
    name: EngineName | None, settings: Iterable[str], *, jobs: int | None = None, **without: object
) -> tuple[Engine | None, tuple[str, ...]]:
    """Return the engine of ``--engine`` with its settings, which start with ``engine.``, and the other settings.

    Parameters
    ----------
    **without : object
        Values of flags that do not work with an engine, by name.

    Raises
    ------
    ConfigError
        A setting is unknown or invalid, there are some and no engine, or a flag does not work with an engine.
    """
    of_engine = [setting.removeprefix(_ENGINE) for setting in settings if setting.startswith(_ENGINE)]
    others = tuple(setting for setting in settings if not setting.startswith(_ENGINE))
    if name is None:
        if of_engine:
            raise ConfigError(f"--set {_ENGINE}{of_engine[0]} needs --engine.")
        return None, others
    for flag, given in without.items():
        if given:
            option = "--" + flag.replace("_", "-")
            raise ConfigError(
                f"{option} does not work with --engine. Leave out {option}; what is finished is skipped, unless you "
                "remove it."
            )
    from epigx.engines import Engine

    values = {"kind": name} | ({} if jobs is None else {_AT_ONCE[name]: jobs})
    return Engine.parse(values, source="" if jobs is None else f"--jobs {jobs}").override(*of_engine), others


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


def run_tasks(
    title: str, run: Callable[[Counted], Sequence[Outcome]], paths: Sequence[str], *, json: bool = False
) -> int:
    """Run tasks, print what they wrote, and return the exit status.

    Parameters
    ----------
    title : str
        What the tasks do, for the progress.
    run : callable
        Runs all tasks, and calls its argument for each.
    json : bool
        Print names, states and errors as JSON instead of the paths.
    """
    with Progress(title) as progress:
        outcomes = run(Counted(progress, len(paths)))
    status = report_failures(outcomes)
    if json:
        emit_json([vars(outcome) for outcome in outcomes])
    elif done := [path for outcome, path in zip(outcomes, paths, strict=True) if outcome.state != "failed"]:
        emit("\n".join(done))
    return status


def report_failures(outcomes: Iterable[Outcome]) -> int:
    """Warn of every task that failed, and return the exit status."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    for outcome in failed:
        warn(f"{outcome.name} failed: {outcome.error}")
    return FAILED if failed else DONE
