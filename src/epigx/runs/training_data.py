"""Choose the training and validation genes of a run, and fit its inputs; the same for every method."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from epigx.dataset.inputs import Inputs, fit_inputs
from epigx.dataset.manifest.split import Split
from epigx.dataset.signals import forbids_negative
from epigx.dataset.store import Dataset, open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError
from epigx.genome.chromosomes import match_chromosome
from epigx.runs.config import DataConfig
from epigx.runs.gene_selection import SplitName, rows_of

if TYPE_CHECKING:
    from epigx.batch import Need

__all__ = ["TrainingData", "choose_training_data"]


@dataclass(frozen=True)
class TrainingData:
    """The labelled genes of the training and the validation chromosomes."""

    dataset: Dataset
    split: Split  # chromosomes held out
    inputs: Inputs  # what the run reads, fitted on the training genes
    train: Windows  # labelled
    valid: Windows  # labelled
    n_without_label: int  # windows of both splits that were left out
    n_low_coverage: int  # the same


def choose_training_data(data: DataConfig, needs: Collection[Need] = ()) -> TrainingData:
    """Open the dataset, choose the genes, fit the inputs.

    Parameters
    ----------
    needs : collection of str
        Optional data that the method reads besides DNA, signals and features.

    Raises
    ------
    DatasetError
        The dataset is damaged; it lacks a cell type, a signal, a feature or the length asked for; or no gene of the
        training or the validation chromosomes has a label.
    """
    dataset = open_dataset(data.path)
    split = data.split or dataset.split
    _check_split(dataset, data.split)
    rows = {name: _rows(dataset, data, name, split) for name in ("train", "valid")}
    labels = np.stack([dataset.expression(cell_type) for cell_type in data.cell_types])
    labelled = rows["train"][np.isfinite(labels[:, rows["train"]]).any(axis=0)]
    if not labelled.size:
        raise DatasetError(_no_labels(dataset, data, "train", split))
    inputs = fit_inputs(
        dataset,
        data.cell_types,
        labelled,
        window=data.window,
        signals=data.signals,
        transforms=data.transforms,
        features=data.features,
        dna=data.dna,
    )
    found = {name: Windows(dataset, data.cell_types, index, inputs, needs=needs) for name, index in rows.items()}
    train, valid = found["train"].labelled(), found["valid"].labelled()
    if not len(valid):
        raise DatasetError(_no_labels(dataset, data, "valid", split))
    for windows in (train, valid):
        _check_transforms(windows)
    everything = sum(len(rows_of(dataset, name, split)) for name in ("train", "valid"))
    kept = sum(map(len, rows.values()))
    return TrainingData(
        dataset=dataset,
        split=split,
        inputs=inputs,
        train=train,
        valid=valid,
        n_without_label=sum(map(len, found.values())) - len(train) - len(valid),
        n_low_coverage=(everything - kept) * len(data.cell_types),
    )


def _check_split(dataset: Dataset, split: Split | None) -> None:
    """Refuse a split of another genome's chromosomes, under which genes that should be held out might be trained on."""
    if split is None:
        return
    known = tuple(dict.fromkeys(dataset.genes["chrom"]))
    absent = [name for name in (*split.valid, *split.test) if match_chromosome(name, known) is None]
    if absent:
        raise DatasetError(
            f"{dataset.path} has no gene on {', '.join(absent)}, which data.split holds out. Choose among its "
            f"chromosomes: {', '.join(known[:30])}."
        )


def _check_transforms(windows: Windows) -> None:
    """Look for values that a transform of the run forbids; `build` has checked the dataset's own transforms."""
    dataset, own = windows.dataset, {signal.name: signal.transform for signal in windows.dataset.signals}
    names, block = list(own), 256
    for signal in windows.inputs.signals:
        if not forbids_negative(signal.transform) or signal.transform == own[signal.name]:
            continue
        for cell_type in np.unique(windows.cell_type):
            rows = windows.row[windows.cell_type == cell_type]
            values = dataset.signal_values(str(cell_type))[:, windows.crop, names.index(signal.name)]
            lowest = min(float(values[rows[first : first + block]].min()) for first in range(0, len(rows), block))
            if lowest < 0:
                raise DatasetError(
                    f"{dataset.path}: the signal {signal.name!r} reaches {lowest:g} in {cell_type}, and "
                    f"{signal.transform} takes no negative values. Set data.transforms to asinh or none for it."
                )


def _rows(
    dataset: Dataset, data: DataConfig, name: SplitName, split: Split
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return rows_of(dataset, name, split, min_dna_coverage=data.min_dna_coverage, coverage_window=data.coverage_window)


def _no_labels(dataset: Dataset, data: DataConfig, name: SplitName, split: Split) -> str:
    cells = ", ".join(data.cell_types)
    if name == "valid":
        return (
            f"{dataset.path}: no gene of the validation chromosomes ({', '.join(split.valid)}) has a label in {cells}. "
            "Set data.split to chromosomes that the dataset has."
        )
    return (
        f"{dataset.path}: no gene of the training chromosomes has a label in {cells}. "
        "Name a cell type with expression, or hold out fewer chromosomes (data.split)."
    )
