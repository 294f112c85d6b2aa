"""Transcript features of genes: lengths, GC, exon density."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from epigx.errors import InputError
from epigx.genome.gtf import read_gtf
from epigx.genome.sequence import C, G, Genome, N

__all__ = ["transcript_features"]


_REGIONS = ("utr5", "cds", "utr3")
# Gene n is shifted by n * _GENE_OFFSET, so that one pass merges the intervals of all genes.
_GENE_OFFSET = np.int64(1) << 40


class _GeneIntervals(NamedTuple):
    """Intervals of genes: the index of the gene, and 0-based half-open coordinates."""

    gene: Int64[np.ndarray, " pieces"]
    start: Int64[np.ndarray, " pieces"]
    end: Int64[np.ndarray, " pieces"]


def transcript_features(gtf: str | Path, genome: Genome | None = None) -> pd.DataFrame:
    """Measure the coding transcripts of each gene of a GTF; GC contents only with a genome.

    Every feature describes the union of the coding transcripts of a gene: those with a CDS and, if the GTF has
    transcript types, of type ``protein_coding``. A base that is 5' UTR in one transcript and coding in another counts
    for both regions. Stop codons count as CDS.

    Returns
    -------
    DataFrame
        One row per gene with a CDS: ``gene_id``; ``utr5_length``, ``cds_length``, ``intron_length`` (bases of the
        transcripts outside all exons), ``utr3_length`` in bp; ``orf_exon_density``, coding exons per kb of CDS; and
        ``utr5_gc``, ``cds_gc``, ``utr3_gc`` in 0..1 (NaN if all bases of the region are N).

    Raises
    ------
    InputError
        The file is not GTF, has no coding transcript, or has chromosomes that the genome lacks.
    """
    lines = _coding_lines(gtf)
    genes = lines.drop_duplicates("gene_id").reset_index(drop=True)
    number = pd.Series(genes.index, index=genes["gene_id"])
    # A pseudoautosomal gene can have one id on two chromosomes: the first one counts.
    lines = lines.assign(gene=number[lines["gene_id"]].to_numpy())
    lines = lines[lines["chrom"].to_numpy() == genes["chrom"].to_numpy()[lines["gene"]]]
    regions = _regions(lines)
    lengths = {name: _lengths(pieces, len(genes)) for name, pieces in regions.items()}
    features = pd.DataFrame({"gene_id": genes["gene_id"]})
    for name in ("utr5", "cds", "intron", "utr3"):
        features[f"{name}_length"] = lengths["span"] - lengths["exon"] if name == "intron" else lengths[name]
    exons = np.bincount(regions["cds"].gene, minlength=len(genes))
    features["orf_exon_density"] = exons / (lengths["cds"] / 1000)
    if genome is not None:
        for name in _REGIONS:
            features[f"{name}_gc"] = _gc(regions[name], genes["chrom"], genome)
    return features


def _coding_lines(gtf: str | Path) -> pd.DataFrame:
    """Return the exon and CDS lines of coding transcripts, with the bounds of the transcript's CDS."""
    lines = read_gtf(
        gtf,
        {"exon", "CDS", "stop_codon"},
        ("gene_id", "transcript_id", "transcript_type", "transcript_biotype"),
    )
    kind = lines["transcript_type"].where(lines["transcript_type"] != "", lines["transcript_biotype"])
    lines = lines[kind.isin(["", "protein_coding"])]
    coding = lines["feature"] != "exon"
    bounds = lines[coding].groupby(["chrom", "transcript_id"]).agg(cds_start=("start", "min"), cds_end=("end", "max"))
    lines = lines.merge(bounds.reset_index(), on=["chrom", "transcript_id"])
    if lines.empty:
        raise InputError(f"{gtf} has no coding transcripts (CDS lines). Use a GTF with the complete annotation.")
    return lines


def _regions(lines: pd.DataFrame) -> dict[str, _GeneIntervals]:
    """Return 5' UTR, CDS, 3' UTR, exons and transcripts of each gene, as unions over its transcripts."""
    exons = lines[lines["feature"] == "exon"]
    coding = lines[lines["feature"] != "exon"]
    left = _union(exons["gene"], exons["start"], np.minimum(exons["end"], exons["cds_start"]))
    right = _union(exons["gene"], np.maximum(exons["start"], exons["cds_end"]), exons["end"])
    forward = lines.drop_duplicates("gene").set_index("gene")["strand"].sort_index().to_numpy() == "+"
    spans = exons.groupby(["gene", "transcript_id"]).agg(start=("start", "min"), end=("end", "max")).reset_index()
    return {
        "utr5": _join(_of(left, forward), _of(right, ~forward)),
        "utr3": _join(_of(right, forward), _of(left, ~forward)),
        "cds": _union(coding["gene"], coding["start"], coding["end"]),
        "exon": _union(exons["gene"], exons["start"], exons["end"]),
        "span": _union(spans["gene"], spans["start"], spans["end"]),
    }


def _union(gene: ArrayLike, start: ArrayLike, end: ArrayLike) -> _GeneIntervals:
    """Merge the intervals of each gene that overlap or touch; empty ones are dropped."""
    genes, starts, ends = (np.asarray(column, dtype=np.int64) for column in (gene, start, end))
    kept = ends > starts
    order = np.argsort(genes[kept] * _GENE_OFFSET + starts[kept], kind="stable")
    genes, starts, ends = (column[kept][order] for column in (genes, starts, ends))
    reach = np.maximum.accumulate(genes * _GENE_OFFSET + ends)
    first = np.flatnonzero(np.concatenate([[True], (genes * _GENE_OFFSET + starts)[1:] > reach[:-1]])[: len(genes)])
    last = np.concatenate([first[1:], [len(genes)]])[: len(first)] - 1
    return _GeneIntervals(genes[first], starts[first], reach[last] - genes[first] * _GENE_OFFSET)


def _of(pieces: _GeneIntervals, chosen: np.ndarray) -> _GeneIntervals:
    """Return the intervals of the chosen genes."""
    kept = chosen[pieces.gene]
    return _GeneIntervals(*(column[kept] for column in pieces))


def _join(one: _GeneIntervals, other: _GeneIntervals) -> _GeneIntervals:
    return _GeneIntervals(*(np.concatenate(columns) for columns in zip(one, other, strict=True)))


def _lengths(pieces: _GeneIntervals, genes: int) -> Int64[np.ndarray, " genes"]:
    return np.bincount(pieces.gene, weights=pieces.end - pieces.start, minlength=genes).astype(np.int64)


def _gc(pieces: _GeneIntervals, chroms: pd.Series, genome: Genome) -> Float64[np.ndarray, " genes"]:
    """Return the fraction of G and C among the bases of each gene that are not N."""
    strong, known = np.zeros(len(chroms)), np.zeros(len(chroms))
    for gene, start, end in zip(*pieces, strict=True):
        counts = np.bincount(genome.bases(str(chroms[gene]), int(start), int(end)), minlength=N + 1)
        strong[gene] += counts[C] + counts[G]
        known[gene] += counts[:N].sum()
    content: np.ndarray = np.divide(strong, known, out=np.full(len(chroms), np.nan), where=known > 0)
    return content
