"""Trains a list of runs on an engine: each its own folder, the finished ones skipped, the others gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch

from epigx.dataset.store import open_dataset
from epigx.engines.base import Engine, Outcome, Progress, Task
from epigx.errors import EpigxError
from epigx.runs.config import RunConfig
from epigx.runs.folder import open_run
from epigx.system.allocator import keep_freed_memory

__all__ = ["memory_gb", "train_all", "train_one"]


def train_all(
    runs: Mapping[str, RunConfig], out: str | Path, *, engine: Engine, progress: Progress | None = None
) -> list[Outcome]:
    """Train runs, each in the folder of its name; called again after it was stopped, it goes on where each run was.

    Parameters
    ----------
    runs : mapping of str to RunConfig
        By the names of their folders. A dataset's path has to hold where the engine works.
    out : str or Path
        The folder of the run folders.
    engine : Engine
        Where to train.
    progress : callable, optional
        Called with a run's name and ``started``, ``done``, ``failed`` or ``skipped``.

    Returns
    -------
    list of Outcome
        In the order of the runs. Failed is also a run whose folder holds one of another configuration, or of another
        dataset.
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
        threads = runs[name].training.threads or each
        arguments = (runs[name], folders[name].absolute(), threads)
        tasks.append(Task(name, train_one, arguments, threads=threads, memory_gb=memory_gb(runs[name])))
    outcomes |= {outcome.name: outcome for outcome in engine.run(tasks, progress=progress)} if tasks else {}
    return [outcomes[name] for name in runs]


def train_one(config: RunConfig, folder: Path, threads: int) -> None:
    """Train a run where this process is, from its last checkpoint, once no other process writes it."""
    from epigx.training.train import train

    keep_freed_memory()
    torch.set_flush_denormal(True)  # before PyTorch has threads that this could not reach
    torch.set_num_threads(threads)
    train(config, folder, resume=True, wait=True)


def memory_gb(config: RunConfig) -> float:
    """Estimate the memory that training a run takes on a CPU, in GB.

    The sum of 1 GB for the process and its imports, five float32 values per weight (weight, gradient, two moments,
    best weight so far), and the hidden states that each gene of a batch keeps for the backward pass, once for each
    prediction that the objective makes.
    """
    window, model, weights = _window(config), config.model, 0
    with torch.device("meta"), suppress(EpigxError):  # the run itself reports why its model cannot be built
        weights = sum(weight.numel() for weight in model.build(n_signals=3, n_features=9, window=window).parameters())
    training, predictions = config.training, config.objective.predictions
    kept = 1 / 3 if training.checkpoint_layers else 1.0
    hidden = 1e-9 * model.cost(window, weights, _elements(config)).bytes_per_gene
    return 1.0 + 20e-9 * weights + training.batch_size * predictions * hidden * kept


def _window(config: RunConfig) -> int:
    if config.data.window is not None:
        return config.data.window
    try:
        return open_dataset(config.data.path).about.window
    except EpigxError:
        return 2_000  # the run itself reports what is wrong


def _elements(config: RunConfig) -> int:
    """Return the number of elements per gene, including the promoter."""
    try:
        elements = open_dataset(config.data.path).about.regions.elements
    except EpigxError:
        elements = None
    return 1 + (elements.count if elements else 60)


def _found(name: str, folder: Path, config: RunConfig) -> Outcome | None:
    """Return the outcome of a run that was asked for and is there already; its dataset may have moved since."""
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
                f"{folder} was trained on another dataset than {config.data.path} holds now. Remove it to train anew.",
            )
    return Outcome(name, "skipped")
