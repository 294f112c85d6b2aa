"""Which runs the exhibits need, what each will roughly cost, and how far it is."""

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
"""Operations a second that one CPU core is taken to do."""

RULE = (
    "CPU-hours are a rough rule: 6 operations for each weight, position read, gene of a step and prediction of the "
    f"objective, at {RATE / 1e9:.0f} billion a second and core."
)


@dataclass(frozen=True)
class PlannedRun:
    """A run that an exhibit needs.

    Parameters
    ----------
    name : str
        Its folder.
    config : RunConfig
        What it is.
    parameters : int
        Weights of the model.
    cpu_hours : float
        Rough cost of all of it.
    state : {"done", "begun", "to do"}
        How far it is.
    """

    name: str
    config: RunConfig
    parameters: int
    cpu_hours: float
    state: Literal["done", "begun", "to do"]


def plan(exhibits: Iterable[Exhibit], dataset: Dataset, runs: Path) -> list[PlannedRun]:
    """Return each run once, seeds outermost, so that what is done early can be compared.

    Parameters
    ----------
    exhibits : iterable of Exhibit
        What is to be shown.
    dataset : Dataset
        What the runs read.
    runs : Path
        The folder of the run folders.
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
    """Whether a run stands there and has come to its last step."""
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
