"""Choose what a run is applied to: dataset, cell type, genes and how they are read."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.inputs import Inputs
from epigx.dataset.manifest.split import Split
from epigx.dataset.store import Dataset, open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError, did_you_mean
from epigx.genome.chromosomes import match_chromosome
from epigx.runs.folder import Run, open_run
from epigx.runs.gene_selection import SplitName, rows_of

__all__ = ["Target", "as_run", "resolve_target", "split_of", "trained_on"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """Genes of a dataset, as a run reads them."""

    run: Run = field(repr=False)
    dataset: Dataset  # where the genes are
    cell_type: str
    split: SplitName  # which genes of the run's split
    windows: Windows = field(repr=False)  # the genes' windows, with and without label
    n_low_coverage: int  # genes left out: too many N bases

    def replace(self, *, drop: Collection[str] | None = None, window: int | None = None) -> Target:
        """Return the same genes with other signals dropped or another window."""
        windows = self.windows
        if window is not None and window != windows.inputs.window:
            inputs = Inputs.parse({**windows.inputs.model_dump(), "window": window})
            dropped = windows.drop
            windows = Windows(self.dataset, self.cell_type, windows.row, inputs, needs=windows.needs).dropping(dropped)
        if drop is not None:
            windows = windows.dropping(drop)
        return replace(self, windows=windows)

    @property
    def split_chromosomes(self) -> Split:
        """The chromosomes that the run holds out."""
        return split_of(self.run, self.dataset)


def as_run(run: Run | str | Path) -> Run:
    """Return the run, opened if it is a path."""
    return run if isinstance(run, Run) else open_run(run)


def resolve_target(
    run: Run,
    split: SplitName,
    *,
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    genes: Sequence[str] | None = None,
    filter_by_coverage: bool = True,
) -> Target:
    """Choose genes, of the run's own dataset or another; the run's inputs and split are used for both.

    Parameters
    ----------
    split : {"train", "valid", "test", "all"}
        Which genes of the run's split.
    genes : sequence of str, optional
        Only these genes, by symbol or identifier, in this order.
    filter_by_coverage : bool
        Whether ``data.min_dna_coverage`` of the run leaves out genes.

    Raises
    ------
    DatasetError
        The dataset is absent or damaged, lacks what the run reads, has several cell types and none was given, or
        lacks a gene that was named.
    """
    dataset = data if isinstance(data, Dataset) else _open(run, data)
    cell_type = _cell_type(run, dataset, cell_type)
    asked = run.config.data
    least, counted = (asked.min_dna_coverage, asked.coverage_window) if filter_by_coverage else (0.0, None)
    chromosomes = split_of(run, dataset)
    rows = rows_of(dataset, split, chromosomes, min_dna_coverage=least, coverage_window=counted)
    total = len(rows_of(dataset, split, chromosomes)) if filter_by_coverage else len(rows)
    n_low_coverage = total - len(rows)
    if genes is not None:
        named = dataset.find(genes)
        rows, n_low_coverage = named[np.isin(named, rows)], 0
    windows = Windows(dataset, cell_type, rows, run.inputs, needs=run.config.method.needs)
    return Target(run, dataset, cell_type, split, windows, n_low_coverage)


def split_of(run: Run, dataset: Dataset) -> Split:
    """Return the split that the run was trained by; the dataset's own if that is unknown."""
    return run.provenance.split or run.config.data.split or dataset.split


def trained_on(run: Run, genes: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which genes the run must not be scored on, bool (gene,).

    Those are the genes of the chromosomes that it was trained on, under any name (``chr1`` or ``1``), and the genes
    that it was trained on themselves, by identifier without version, wherever another genome has them.
    """
    trained = run.provenance.chromosomes_trained
    known = {name: match_chromosome(name, trained) is not None for name in genes["chrom"].unique()}
    seen = {_without_version(name) for name in run.provenance.genes_trained}
    return np.array(
        [
            known[chrom] or _without_version(name) in seen
            for chrom, name in zip(genes["chrom"], genes["gene_id"], strict=True)
        ],
        dtype=bool,
    )


def _without_version(gene_id: str) -> str:
    """Return ENSG00000141510 for ENSG00000141510.12, and any other identifier as it is."""
    return gene_id.partition(".")[0] if gene_id.startswith("ENS") else gene_id


def _open(run: Run, data: str | Path | None) -> Dataset:
    if data is not None:
        return open_dataset(data)
    if not run.config.data.path:
        raise DatasetError(f"{run.path} does not name its dataset. Give one with --data.")
    dataset = open_dataset(run.config.data.path)
    if run.provenance.dataset_hash not in (None, dataset.hash):
        _log.warning("%s has changed since %s was trained on it.", dataset.path, run.path)
    return dataset


def _cell_type(run: Run, dataset: Dataset, asked: str | None) -> str:
    if asked is not None:
        if asked not in dataset.cell_types:
            choice = did_you_mean(asked, dataset.cell_types)
            raise DatasetError(f"{dataset.path} has no cell type {asked!r}.{choice}")
        return asked
    trained = [name for name in run.config.data.cell_types if name in dataset.cell_types]
    found = trained or list(dataset.cell_types)
    if len(found) != 1:
        raise DatasetError(
            f"{dataset.path} has several cell types ({', '.join(found)}). Choose one with --cell-type (cell_type)."
        )
    return found[0]
