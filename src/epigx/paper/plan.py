"""Which runs the tables and figures need, what each costs roughly, and which are done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from epigx.dataset.store import Dataset
from epigx.errors import RunError
from epigx.paper.items import Exhibit
from epigx.runs.config import RunConfig
from epigx.runs.folder import open_run

__all__ = ["RATE", "RULE", "PlannedRun", "cpu_hours", "is_finished", "plan"]

RATE = 10e9
"""Assumed operations per second of one CPU core."""

RULE = (
    "CPU-hours are a rough rule: 6 operations per weight, position, gene of a step and prediction of the objective, "
    f"at {RATE / 1e9:.0f} billion operations per second and core."
)


@dataclass(frozen=True)
class PlannedRun:
    """A run that a table or figure needs.

    Parameters
    ----------
    name : str
        Name of its folder.
    config : RunConfig
        Its configuration.
    parameters : int
        Number of weights of the model.
    cpu_hours : float
        Rough cost of the training.
    state : {"done", "begun", "to do"}
        Whether it is done, begun, or not begun.
    """

    name: str
    config: RunConfig
    parameters: int
    cpu_hours: float
    state: Literal["done", "begun", "to do"]


def plan(exhibits: Iterable[Exhibit], dataset: Dataset, runs: Path) -> list[PlannedRun]:
    """Return each run once, sorted by seed, so that all systems are trained with the first seed first.

    Parameters
    ----------
    exhibits : iterable of Exhibit
        Tables and figures.
    dataset : Dataset
        Dataset of the runs.
    runs : Path
        Folder that contains the run folders.
    """
    found = {
        name: PlannedRun(
            name, config, system.parameters["model"], cpu_hours(config, system.parameters["model"], dataset),
            _state(runs / name),
        )
        for exhibit in exhibits
        for system in exhibit.trained
        for name, config in system.runs.items()
    }  # fmt: skip
    seeds = list(dict.fromkeys(run.config.training.seed for run in found.values()))
    return sorted(found.values(), key=lambda run: seeds.index(run.config.training.seed))


def is_finished(folder: Path) -> bool:
    """Return whether the folder contains a run that has finished its last step."""
    try:
        return open_run(folder).finished
    except RunError:
        return False


def cpu_hours(config: RunConfig, parameters: int, dataset: Dataset) -> float:
    """Estimate the CPU-hours of a training by :data:`RULE`.

    The 6 operations are a multiplication and an addition per weight in the forward pass, and twice that in the
    backward pass.
    """
    training, elements = config.training, dataset.about.regions.elements
    cost = config.model.cost(config.data.window or dataset.window, parameters, 1 + (elements.count if elements else 60))
    predictions = training.steps * training.batch_size * config.objective.predictions
    return 6 * cost.weights * cost.positions * predictions / RATE / 3600


def _state(folder: Path) -> Literal["done", "begun", "to do"]:
    if is_finished(folder):
        return "done"
    return "begun" if (folder / "config.yaml").is_file() else "to do"
