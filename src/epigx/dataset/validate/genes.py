"""Checks of the genes: their positions, their DNA, their split and their labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.readers import Readers
from epigx.dataset.validate.problem import Problems, counted, listed
from epigx.dataset.window_grid import WindowGrid
from epigx.genome.chromosomes import match_chromosomes
from epigx.genome.expression import table_label
from epigx.genome.sequence import N

__all__ = ["MAX_LABEL", "check_genes", "check_labels", "report_labels"]

MAX_LABEL = 7.0
"""The largest plausible log10(1 + x): ten million transcripts per million."""

_SAMPLE = 2_000


def check_genes(readers: Readers, genes: pd.DataFrame, problems: Problems) -> None:
    """Compare genes with the genome and the split: chromosomes, their ends, known bases, empty splits."""
    manifest, sizes = readers.manifest, readers.genome.sizes
    names = match_chromosomes(genes["chrom"].unique(), sizes)
    lacking = [chrom for chrom in genes["chrom"].unique() if chrom not in names]
    if lacking:
        count = int(genes["chrom"].isin(lacking).sum())
        problems.error(
            manifest.genome,
            f"it has no chromosome {listed(lacking)}, but {counted(count, 'gene')} of {manifest.genes} "
            f"{'is' if count == 1 else 'are'} there. Use files of one assembly, or list the chromosomes to use under "
            "`chromosomes`.",
        )
    if aliases := [f"{chrom} is called {name}" for chrom, name in names.items() if chrom != name]:
        problems.notice(manifest.genome, f"{listed(aliases)} in this file.")
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
    _check_windows(readers, WindowGrid.of(placed[inside], readers.window, manifest.orient), ends[inside], problems)
    splits = manifest.split.of(genes["chrom"].to_numpy())
    for split in ("train", "valid", "test"):
        if not (splits == split).any():
            remedy = (
                "Hold out fewer chromosomes under `split`."
                if split == "train"
                else f"List a chromosome of the genes under `split: {{{split}: […]}}`."
            )
            problems.warning("split", f"no gene is in the {split} split. {remedy}")


def _check_windows(readers: Readers, grid: WindowGrid, ends: NDArray[np.int64], problems: Problems) -> None:
    """Find windows past a chromosome's end or without known bases; ``ends`` are chromosome lengths, (gene,)."""
    manifest = readers.manifest
    cut = int(((grid.starts < 0) | (grid.starts + grid.length > ends)).sum())
    if cut:
        extends = "extends" if cut == 1 else "extend"
        problems.notice(manifest.genes, f"{counted(cut, 'window')} {extends} past a chromosome's end: padded with N.")
    sample = np.unique(np.linspace(0, len(grid) - 1, min(_SAMPLE, len(grid))).astype(int))
    empty = 0
    with problems.catching(manifest.genome):
        for _, chunk in grid[sample].chunks():
            codes = readers.genome.windows(str(chunk.chrom[0]), chunk.starts, grid.length)
            empty += int((codes == N).all(axis=1).sum())
        if len(sample) and empty == len(sample):
            problems.error(
                manifest.genome,
                f"every window has only N bases ({len(sample):,} checked). Use an unmasked genome of the genes' "
                "assembly.",
            )
        elif empty:
            problems.warning(
                manifest.genome,
                f"{empty / len(sample):.0%} of {counted(len(sample), 'window')} checked have only N bases. Use an "
                "unmasked genome, or leave out such genes in training with data.min_dna_coverage.",
            )


def check_labels(readers: Readers, genes: pd.DataFrame, missing: set[str], problems: Problems) -> None:
    """Find labels in tables that are absent or implausible."""
    for cell_type, cell in readers.manifest.cell_types.items():
        label = cell.expression
        if label is not None and label.file is not None and label.file not in missing:
            assert label.column is not None  # it goes with a file
            with problems.catching(cell_type):
                path = readers.manifest.locate(label.file)
                values = table_label(path, label.column, genes["gene_id"].tolist(), label.transform)
                report_labels(cell_type, f"{label.column} of {label.file}", genes, values, problems)


def report_labels(
    cell_type: str, source: str, genes: pd.DataFrame, values: NDArray[np.float32], problems: Problems
) -> None:
    """Report genes without a label and implausible labels; ``values`` are log10(1 + x), float32 (gene,)."""
    absent = np.isnan(values)
    if absent.all():
        problems.error(
            cell_type,
            f"no gene has a label in {source}. Use the gene identifiers of the gene file. "
            "Prediction-only cell types don't need `expression`.",
        )
        return
    if absent.any():
        counts = genes.loc[absent, "chrom"].value_counts()
        where = listed([f"{chrom} {count:,}" for chrom, count in counts.items()])
        has = "gene has" if absent.sum() == 1 else "genes have"
        problems.warning(
            cell_type,
            f"{absent.sum():,} {has} no label in {source} ({where}): left out of training and evaluation. "
            "Add the labels if you have them.",
        )
    if (highest := float(np.nanmax(values))) > MAX_LABEL:
        problems.warning(
            cell_type,
            f"labels in {source} reach {highest:g}, too large for log10(1 + x). Set `transform: log10p1`.",
        )
    if np.nanmin(values) == highest and len(values) > 1:
        problems.error(
            cell_type,
            f"every label in {source} is {highest:g}: a model cannot learn from a constant. Check the column or track.",
        )
