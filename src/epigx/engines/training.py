"""Train a list of runs on an engine, each in its own folder; finished runs are skipped and stopped runs resumed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from epigx.dataset.store import open_dataset
from epigx.engines.base import Engine, Outcome, Progress, Task
from epigx.errors import EpigxError
from epigx.runs.config import RunConfig
from epigx.runs.folder import open_run
from epigx.system.setup_process import setup_process

__all__ = ["memory_gb", "train_all", "train_one"]


def train_all(
    runs: Mapping[str, RunConfig], out: str | Path, *, engine: Engine, progress: Progress | None = None
) -> list[Outcome]:
    """Train runs, each in the folder of its name in ``out``; a call after an interruption resumes every run.

    The paths of the datasets must be valid on the engine's machines. ``progress`` is called with a run's name and
    ``started``, ``done``, ``failed`` or ``skipped``.

    Returns
    -------
    list of Outcome
        In the order of the runs. A run whose folder contains a run of another configuration or dataset has failed.
    """
    folders = {name: Path(out) / name for name in runs}
    outcomes = {name: found for name, config in runs.items() if (found := _found(name, folders[name], config))}
    for outcome in outcomes.values():
        if progress:
            progress(outcome.name, outcome.state)
    left = [name for name in runs if name not in outcomes]
    each = engine.threads_each(len(left))
    tasks = []
    for name in left:
        threads = runs[name].method.threads or each
        arguments = (runs[name], folders[name].absolute(), threads)
        tasks.append(Task(name, train_one, arguments, threads=threads, memory_gb=memory_gb(runs[name])))
    outcomes |= {outcome.name: outcome for outcome in engine.run(tasks, progress=progress)} if tasks else {}
    return [outcomes[name] for name in runs]


def train_one(config: RunConfig, folder: Path, threads: int) -> None:
    """Train a run in this process, from its last checkpoint, after other processes have finished writing it."""
    setup_process(threads, torch=config.method.uses_torch)
    from epigx.training.train import train

    train(config, folder, resume=True, wait=True)


def memory_gb(config: RunConfig) -> float:
    """Return roughly how much memory a training takes on a CPU, in GB."""
    window, n_elements = config.data.window or 2_000, 61
    with suppress(EpigxError):  # the run itself reports what is wrong
        about = open_dataset(config.data.path).about
        window = config.data.window or about.window
        n_elements = 1 + (about.regions.elements.count if about.regions.elements else 60)
    return config.method.memory_gb(window, n_elements)


def _found(name: str, folder: Path, config: RunConfig) -> Outcome | None:
    """Return the outcome of a run that is finished already; its dataset may have moved since."""
    try:
        run = open_run(folder)
    except EpigxError:
        return None
    there = run.config.data.model_copy(update={"path": config.data.path})
    if not run.finished or run.config.model_copy(update={"data": there}) != config:
        return None
    with suppress(EpigxError):
        if run.provenance.dataset_hash not in (None, open_dataset(config.data.path).hash):
            return Outcome(
                name,
                "failed",
                f"{folder} was trained on another dataset than {config.data.path} holds now. Remove the folder to "
                "train again.",
            )
    return Outcome(name, "skipped")
