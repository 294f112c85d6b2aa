"""Genes with one TSS each, from a GTF, a BED or a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from epigx.errors import InputError, did_you_mean
from epigx.genome.bed import Column, check_intervals, read_bed
from epigx.genome.gtf import gene_biotype, read_gtf
from epigx.genome.tables import read_table

__all__ = ["read_genes"]

_COLUMNS = ["gene_id", "symbol", "chrom", "tss", "strand"]
_CANONICAL = ("MANE_Select", "Ensembl_canonical")


def read_genes(path: str | Path, *, biotype: str | None = "protein_coding") -> pd.DataFrame:
    """Read the genes and their transcription start sites.

    Parameters
    ----------
    path : str or Path
        ``.gtf``, ``.bed``, or a ``.tsv``, ``.txt`` or ``.csv`` table, each also with ``.gz``.

        GTF: the TSS of a gene is taken from its MANE Select transcript, otherwise its Ensembl canonical transcript,
        otherwise the most 5' one. BED: the name (column 4) is the gene id, and column 7, if present, the symbol; the
        TSS is the base at ``start``, or at ``end - 1`` for records longer than 1 bp on the - strand. Table: columns
        ``gene_id, chrom, tss, strand`` and optionally ``symbol``; ``tss`` is 0-based.
    biotype : str or None
        The biotype of the genes to keep from a GTF (``gene_type`` or ``gene_biotype``); ``None`` keeps all. Other
        formats have no biotype, and all their genes are kept.

    Returns
    -------
    DataFrame
        ``gene_id`` (with its version, if the file has one), ``symbol`` (the id if there is none), ``chrom``, ``tss``
        (int64, 0-based on both strands), ``strand``; in the order of the file.

    Raises
    ------
    InputError
        The file cannot be read, has no gene of the biotype, has a gene twice, or has an invalid TSS or strand.
    """
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    suffix = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    match suffix:
        case ".gtf":
            genes = _from_gtf(path, biotype)
        case ".bed":
            genes = _from_bed(path)
        case ".tsv" | ".txt" | ".csv":
            genes = _from_table(path)
        case _:
            raise InputError(
                f"{path} has an unknown suffix. Give the genes as .gtf, .bed, .tsv, .txt or .csv (optionally with .gz)."
            )
    return _checked(path, genes)


def _from_gtf(path: str | Path, biotype: str | None) -> pd.DataFrame:
    lines = read_gtf(
        path,
        {"gene", "transcript", "mRNA"},
        ("gene_id", "gene_name", "gene_type", "gene_biotype", "tag"),
    )
    lines = lines[lines["gene_id"] != ""]
    if lines.empty:
        raise InputError(f"{path} has no gene or transcript lines with a gene_id. Check that it is a complete GTF.")
    if biotype is not None:
        kinds = gene_biotype(lines)
        if not (kinds != "").any():
            raise InputError(
                f"{path} has no biotypes (gene_type or gene_biotype), so genes that are {biotype} cannot be selected. "
                "Use a GTF of GENCODE or Ensembl, or keep all genes with biotype None."
            )
        if not (kinds == biotype).any():
            raise InputError(f"{path} has no {biotype} gene.{did_you_mean(biotype, set(kinds) - {''})}")
        lines = lines[kinds == biotype]
    tags = lines["tag"].str.split(",")
    rank = np.full(len(lines), len(_CANONICAL))
    for priority in reversed(range(len(_CANONICAL))):
        rank[[_CANONICAL[priority] in of_line for of_line in tags]] = priority
    # A gene line is only used for a gene without transcripts.
    rank[lines["feature"] == "gene"] = len(_CANONICAL) + 1
    forward = (lines["strand"] == "+").to_numpy()
    tss = np.where(forward, lines["start"], lines["end"] - 1)
    lines = lines.assign(rank=rank, tss=tss, upstream=np.where(forward, tss, -tss))
    # A pseudoautosomal gene can have one id on two chromosomes: the first one counts.
    lines = lines[lines["chrom"] == lines.groupby("gene_id")["chrom"].transform("first")]
    best = lines.sort_values(["rank", "upstream", "line"], kind="stable").drop_duplicates("gene_id")
    return best.sort_values("line").rename(columns={"gene_name": "symbol"})


def _from_bed(path: str | Path) -> pd.DataFrame:
    rows = read_bed(
        path,
        {
            "chrom": Column(0, str),
            "start": Column(1, int),
            "end": Column(2, int),
            "gene_id": Column(3, str),
            "strand": Column(5, str),
            "symbol": Column(6, str, optional=True),
        },
        what="a BED of TSSs with id and strand",
    )
    check_intervals(rows, path)
    at_end = (rows["strand"] == "-") & (rows["end"] - rows["start"] > 1)
    return rows.assign(tss=np.where(at_end, rows["end"] - 1, rows["start"]))


def _from_table(path: str | Path) -> pd.DataFrame:
    table = read_table(path)
    for column in ("gene_id", "chrom", "tss", "strand"):
        if column not in table:
            raise InputError(f"{path} has no column {column!r}.{did_you_mean(column, table.columns)}")
    table = table.assign(line=table.index)
    tss = pd.to_numeric(table["tss"], errors="coerce")
    wrong = np.flatnonzero(tss.isna() | (tss % 1 != 0))
    if len(wrong):
        row = table.iloc[wrong[0]]
        raise InputError(f"{path}, line {row['line']}: tss {row['tss']!r} is not a whole number.")
    if "symbol" not in table:
        table = table.assign(symbol="")
    return table.assign(tss=tss)


def _checked(path: str | Path, genes: pd.DataFrame) -> pd.DataFrame:
    if genes.empty:
        raise InputError(f"{path} has no genes. Check that the file is complete.")
    for wrong, what in (
        (~genes["strand"].isin(["+", "-"]), "strand {strand!r} is not + or -"),
        (genes["tss"] < 0, "the TSS {tss} of {gene_id!r} is negative"),
        (genes["gene_id"] == "", "a gene has no id"),
        (genes["gene_id"].duplicated(), "gene {gene_id!r} is listed twice; keep one TSS per gene"),
    ):
        if wrong.any():
            row = genes[wrong].iloc[0]
            raise InputError(f"{path}, line {row['line']}: {what.format(**{str(k): v for k, v in row.items()})}.")
    symbol = genes["symbol"].where(~genes["symbol"].isin(["", "."]), genes["gene_id"])
    genes = genes.assign(symbol=symbol, tss=genes["tss"].astype(np.int64))
    return genes[_COLUMNS].reset_index(drop=True)
