"""The part of the check that looks at genes: their places, their sequence, their features and their labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.gene_table import FeatureSource, implausible, is_measured
from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.sources import Expression
from epigx.dataset.validate.problem import Problems, counted, listed
from epigx.dataset.window_grid import window_starts
from epigx.genome.chromosomes import match_chromosomes
from epigx.genome.expression import table_label
from epigx.genome.sequence import N

__all__ = ["MAX_LABEL", "check_genes", "check_tables", "report_labels"]

MAX_LABEL = 7.0
"""A label above is no log10(1 + x): ten million of a million transcripts."""

_SAMPLE = 2_000


def check_genes(readers: Readers, genes: pd.DataFrame, window: int, problems: Problems) -> None:
    """Compare genes with the genome: chromosomes, ends, bases, and the chromosomes held out."""
    manifest, sizes = readers.manifest, readers.genome.sizes
    names = match_chromosomes(genes["chrom"].unique(), sizes)
    lacking = [chrom for chrom in genes["chrom"].unique() if chrom not in names]
    if lacking:
        count = int(genes["chrom"].isin(lacking).sum())
        problems.error(
            manifest.genome,
            f"it has no chromosome {listed(lacking)}, on which {counted(count, 'gene')} of {manifest.genes} lie. "
            "Use files of one assembly, or name the chromosomes wanted under `chromosomes`.",
        )
    if aliases := [f"{chrom} as {name}" for chrom, name in names.items() if chrom != name]:
        problems.notice(manifest.genome, f"reads {listed(aliases)}.")
    placed = genes[genes["chrom"].isin(names)]
    ends = np.array([sizes[names[chrom]] for chrom in placed["chrom"]], np.int64)
    outside = placed[placed["tss"] >= ends]
    if len(outside):
        gene = outside.iloc[0]
        problems.error(
            manifest.genes,
            f"the TSS of {gene['gene_id']} at {gene['chrom']}:{gene['tss'] + 1:,} lies past the chromosome's end in "
            f"{manifest.genome} ({counted(len(outside), 'such gene')}). Use genes and genome of one assembly.",
        )
    inside = (placed["tss"] < ends).to_numpy()
    _check_windows(readers, placed[inside], ends[inside], window, problems)
    sets = manifest.split.of(genes["chrom"].to_numpy())
    for part in ("train", "valid", "test"):
        if not (sets == part).any():
            problems.warning("split", f"no gene is in the {part} set.")


def _check_windows(
    readers: Readers, genes: pd.DataFrame, ends: NDArray[np.int64], window: int, problems: Problems
) -> None:
    manifest = readers.manifest
    tss, strand = genes["tss"].to_numpy(np.int64), genes["strand"].to_numpy(object)
    starts = window_starts(tss, strand, window, manifest.orient)
    cut = int(((starts < 0) | (starts + window > ends)).sum())
    if cut:
        problems.notice(manifest.genes, f"{counted(cut, 'window')} past a chromosome's end: padded there.")
    sample = np.unique(np.linspace(0, len(genes) - 1, min(_SAMPLE, len(genes))).astype(int))
    known = np.zeros(len(genes))
    with problems.catching(manifest.genome):
        for chrom in genes["chrom"].iloc[sample].unique():
            rows = sample[(genes["chrom"].iloc[sample] == chrom).to_numpy()]
            known[rows] = (readers.genome.windows(chrom, starts[rows], window) != N).mean(axis=1)
        empty = int((known[sample] == 0).sum())
        if len(sample) and empty == len(sample):
            problems.error(manifest.genome, f"every window is all N ({len(sample):,} looked at). Give the bases.")
        elif empty:
            share = empty / len(sample)
            problems.warning(manifest.genome, f"{share:.0%} of {counted(len(sample), 'window')} looked at are all N.")


def check_tables(
    readers: Readers, genes: pd.DataFrame, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Look for features and labels that are absent or cannot be right; ``sizes`` is None if there is no genome."""
    features = readers.manifest.features
    if features and features.file and features.file not in missing:
        with problems.catching(features.file):
            wanted = [column.column or name for name, column in features.columns.items()]
            genome = None if sizes is None else readers.genome
            source = FeatureSource(readers.manifest.locate(features.file), wanted, genome)
            for name, column in zip(features.columns, wanted, strict=True):
                with problems.catching(features.file):
                    if genome is not None or not is_measured(column):
                        values = source.values(column, genes["gene_id"].tolist())
                        _check_feature(readers, genes, name, values, problems)
    for cell_type, cell in readers.manifest.cell_types.items():
        label = cell.expression
        if label is not None and label.file is not None and label.file not in missing:
            with problems.catching(cell_type):
                _check_table_label(readers, genes, cell_type, label, problems)


def _check_feature(
    readers: Readers, genes: pd.DataFrame, name: str, values: NDArray[np.float64], problems: Problems
) -> None:
    features = readers.manifest.features
    assert features is not None
    file, column = str(features.file), features.columns[name]
    absent = int(np.isnan(values).sum())
    if absent == len(genes):
        problems.error(file, f"no gene has a {name}. Are its gene identifiers those of {readers.manifest.genes}?")
    elif absent:
        problems.warning(
            file, f"{counted(absent, 'gene')} of {len(genes):,} have no {name}: read as the training mean."
        )
    wrong = np.flatnonzero(implausible(values, column))
    if len(wrong):
        shown = ", ".join(f"{values[row]:g} of {genes['gene_id'].iloc[row]}" for row in wrong[:3])
        problems.warning(
            file, f"{name} cannot be {shown} ({counted(len(wrong), 'such value')}): taken as missing by `epigx build`."
        )


def _check_table_label(
    readers: Readers, genes: pd.DataFrame, cell_type: str, label: Expression, problems: Problems
) -> None:
    assert label.file is not None
    assert label.column is not None
    path = readers.manifest.locate(label.file)
    values = table_label(path, label.column, genes["gene_id"].tolist(), label.transform)
    report_labels(cell_type, f"{label.column} of {label.file}", genes, values, problems)


def report_labels(
    cell_type: str, source: str, genes: pd.DataFrame, values: NDArray[np.float32], problems: Problems
) -> None:
    """Report genes without a label, and labels that cannot be right."""
    absent = np.isnan(values)
    if absent.all():
        problems.error(
            cell_type,
            f"no gene has a label in {source}. Are its gene identifiers those of the gene file? "
            "A cell type that is to be predicted alone needs no `expression`.",
        )
        return
    if absent.any():
        counts = genes.loc[absent, "chrom"].value_counts()
        where = listed([f"{chrom} {count:,}" for chrom, count in counts.items()])
        problems.warning(cell_type, f"{counted(int(absent.sum()), 'gene')} have no label in {source} ({where}).")
    if (highest := float(np.nanmax(values))) > MAX_LABEL:
        problems.warning(
            cell_type, f"labels in {source} reach {highest:g}, too much for log10(1 + x). Set its transform to log10p1."
        )
    if np.nanmin(values) == highest and len(values) > 1:
        problems.error(cell_type, f"every label in {source} is {highest:g}, so there is nothing to learn.")
