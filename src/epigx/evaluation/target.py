"""What a run is applied to: which dataset, which cell type, which genes, read how."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
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
from epigx.runs.gene_selection import Part, rows_of

__all__ = ["Scope", "as_run", "scope_of", "trained_on"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scope:
    """Genes of a dataset, as a run reads them.

    Parameters
    ----------
    dataset : Dataset
        Where they are.
    cell_type : str
        The cell type.
    windows : Windows
        The genes' windows, with and without label.
    n_low_coverage : int
        Genes left out because too few bases of their window are known.
    """

    dataset: Dataset
    cell_type: str
    windows: Windows
    n_low_coverage: int


def as_run(run: Run | str | Path) -> Run:
    """Return the run, opened if it is a path."""
    return run if isinstance(run, Run) else open_run(run)


def scope_of(
    run: Run,
    part: Part,
    *,
    data: Dataset | str | Path | None = None,
    cell_type: str | None = None,
    drop: Collection[str] = (),
    window: int | None = None,
    covered: bool = True,
) -> Scope:
    """Choose genes and read them as the run was trained to, unless told otherwise.

    Parameters
    ----------
    run : Run
        Its inputs and its split hold for other data, too.
    part : {"train", "valid", "test", "all"}
        Part of the run's split.
    data : Dataset, str or Path, optional
        Another dataset than the run's own.
    cell_type : str, optional
        Another cell type than the run's own.
    drop : collection of str
        Signals to read as zeros.
    window : int, optional
        Central bp to read, in place of the run's.
    covered : bool
        Whether ``data.min_dna_coverage`` of the run leaves out genes.

    Raises
    ------
    DatasetError
        The dataset is absent or damaged, lacks what the run reads, or has several cell types and none was named.
    ConfigError
        The window is odd.
    """
    dataset = data if isinstance(data, Dataset) else _open(run, data)
    cell_type = _cell_type(run, dataset, cell_type)
    inputs = run.inputs if window is None else Inputs.parse({**run.inputs.model_dump(), "window": window})
    split = split_of(run, dataset)
    asked = run.config.data
    least, counted = (asked.min_dna_coverage, asked.coverage_window) if covered else (0.0, None)
    rows = rows_of(dataset, part, split, min_dna_coverage=least, coverage_window=counted)
    return Scope(
        dataset=dataset,
        cell_type=cell_type,
        windows=Windows(
            dataset,
            cell_type,
            rows,
            inputs,
            drop=(drop,) if isinstance(drop, str) else tuple(drop),
            needs=run.config.model.needs,
        ),
        n_low_coverage=len(rows_of(dataset, part, split)) - len(rows),
    )


def split_of(run: Run, dataset: Dataset) -> Split:
    """Return the split that the run was trained by; the dataset's own when that is not known."""
    return run.provenance.split or run.config.data.split or dataset.split


def trained_on(run: Run, genes: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the genes that the run is not to be scored on, (gene,).

    Those are the genes of the chromosomes that it was trained on, whatever they are called (``chr1`` or ``1``), and the
    genes that it was trained on themselves, by identifier without version, wherever another genome has them.

    Parameters
    ----------
    run : Run
        What was trained.
    genes : DataFrame
        ``gene_id`` and ``chrom``, as in a dataset.
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
        raise DatasetError(f"{run.path} does not say which dataset belongs to it. Name one (data, or --data).")
    dataset = open_dataset(run.config.data.path)
    if run.provenance.dataset_hash not in (None, dataset.hash):
        _log.warning("%s is not the dataset any more that %s was trained on.", dataset.path, run.path)
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
        raise DatasetError(f"{dataset.path} has several cell types ({', '.join(found)}). Name one of them.")
    return found[0]
