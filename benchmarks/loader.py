"""Training batches from a built dataset: how many genes a second, beside what a training step takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.apart import run_apart
from benchmarks.measure import Effort
from epigx.batch import Batch
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.loader import train_loader
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows

__all__ = ["measure"]

BATCHES = 100


def measure(data: Path, batch_size: int, effort: Effort) -> dict[str, Any]:
    """Time the loader of training on a dataset's first cell type, with all its signals and features."""
    rounds = run_apart(_rounds, data, batch_size, effort.rounds)
    seconds = median(rounds) / BATCHES
    return {
        "batch_size": batch_size,
        "batches": BATCHES,
        "rounds": rounds,
        "seconds_per_batch": seconds,
        "genes_per_second": batch_size / seconds,
    }


def _rounds(data: Path, batch_size: int, rounds: int) -> list[float]:
    dataset = open_dataset(data)
    every, cell_type = np.arange(len(dataset)), dataset.cell_types[0]
    windows = Windows(dataset, cell_type, every, fit_inputs(dataset, [cell_type], every))
    loader: Iterator[Batch] = iter(train_loader(windows, batch_size=batch_size, seed=0))
    _take(loader)
    return [_take(loader) for _ in range(rounds)]


def _take(loader: Iterator[Batch]) -> float:
    start = time.process_time()
    for _ in islice(loader, BATCHES):
        pass
    return time.process_time() - start
