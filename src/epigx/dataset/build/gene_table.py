"""The genes of a dataset, in its order, with features and labels from tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.manifest.sources import FeatureColumn
from epigx.errors import InputError, did_you_mean
from epigx.genome.chromosomes import match_chromosome
from epigx.genome.expression import table_label
from epigx.genome.genes import read_genes
from epigx.genome.sequence import Genome
from epigx.genome.tables import GeneTable, match_genes
from epigx.genome.transcripts import transcript_features

__all__ = ["FeatureSource", "implausible", "is_measured", "order_genes", "select_genes", "table_columns"]


def select_genes(manifest: Manifest) -> pd.DataFrame:
    """Read the manifest's genes on the manifest's chromosomes, in the file's order.

    Returns
    -------
    DataFrame
        Columns gene_id, symbol, chrom, tss and strand.

    Raises
    ------
    InputError
        The gene file cannot be read, or has no gene on one of the chromosomes.
    """
    genes = read_genes(manifest.locate(manifest.genes))
    if manifest.chromosomes is None:
        return genes
    present = list(genes["chrom"].unique())
    kept = [match_chromosome(name, present) for name in manifest.chromosomes]
    for name, found in zip(manifest.chromosomes, kept, strict=True):
        if found is None:
            raise InputError(f"{manifest.genes} has no gene on the chromosome {name!r}.{did_you_mean(name, present)}")
    return genes[genes["chrom"].isin(kept)].reset_index(drop=True)


def order_genes(genes: pd.DataFrame, genome: Genome) -> pd.DataFrame:
    """Sort genes by the FASTA's order of chromosomes, then TSS and identifier: the order of a dataset's rows.

    If a gene file has two names of one chromosome (``chr1`` and ``1``), rows with the same name are contiguous.
    """
    order = {name: number for number, name in enumerate(genome.sizes)}
    rank = genes["chrom"].map(lambda name: order[match_chromosome(name, order) or name])
    ordered = genes.assign(rank=rank).sort_values(["rank", "chrom", "tss", "gene_id"], kind="stable")
    return ordered.drop(columns="rank").reset_index(drop=True)


def table_columns(manifest: Manifest, genes: pd.DataFrame, genome: Genome) -> dict[str, NDArray[np.floating[Any]]]:
    """Read the features that all cell types share, and the labels in tables.

    They are columns of ``genes.parquet`` by name, (gene,); NaN where a value is missing or implausible.
    """
    columns: dict[str, NDArray[np.floating[Any]]] = {}
    gene_ids = genes["gene_id"].tolist()
    features = manifest.features
    if features and features.file:
        wanted = {name: column.column or name for name, column in features.columns.items()}
        source = FeatureSource(manifest.locate(features.file), list(wanted.values()), genome)
        for name, column in features.columns.items():
            values = source.values(wanted[name], gene_ids)
            columns[name] = np.where(implausible(values, column), np.nan, values)
    for cell_type, cell in manifest.cell_types.items():
        label = cell.expression
        if label is not None and label.file is not None and label.column is not None:
            path = manifest.locate(label.file)
            columns[f"expression:{cell_type}"] = table_label(path, label.column, gene_ids, label.transform)
    return columns


class FeatureSource:
    """Features from a table, or computed from a GTF.

    Of a GTF, GC contents are computed only if one is ``wanted`` and there is a genome.
    """

    def __init__(self, path: Path, wanted: Sequence[str], genome: Genome | None) -> None:
        self._path = path
        if path.name.lower().removesuffix(".gz").endswith(".gtf"):
            with_gc = any(map(is_measured, wanted))
            self._table: pd.DataFrame | GeneTable = transcript_features(path, genome if with_gc else None)
        else:
            self._table = GeneTable(path)

    def values(self, name: str, gene_ids: Sequence[str]) -> NDArray[np.float64]:
        """Return a raw feature, float64 (gene,), NaN where a gene has none.

        It is an ``InputError`` if the file lacks the feature, has a gene twice, or has a value that is not a number.
        """
        table = self._table
        if isinstance(table, GeneTable):
            return table.numbers(name, gene_ids)
        if name not in table or name == "gene_id":
            choice = did_you_mean(name, set(table.columns) - {"gene_id"})
            raise InputError(f"{self._path} has no feature {name!r}.{choice}")
        rows = match_genes(gene_ids, table["gene_id"].tolist())
        return np.where(rows >= 0, table[name].to_numpy(np.float64)[rows], np.nan)


def is_measured(feature: str) -> bool:
    """Return whether a feature of a GTF is computed from the genome's bases."""
    return feature.endswith("_gc")


def implausible(values: NDArray[np.float64], column: FeatureColumn) -> NDArray[np.bool_]:
    """Return which values are impossible, such as a negative length, bool (gene,)."""
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    return (values < low) | (values > high) | np.isinf(values)
