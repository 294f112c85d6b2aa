"""Simulated genes: TSS positions, transcripts, and the GTF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from epigx.simulator.settings import Simulation

__all__ = ["Annotation", "Transcript", "annotate", "write_gtf"]

# Empty space at both chromosome ends, so that 20 kb windows around any TSS and all gene bodies stay inside.
FLANK = 20_000
NONCODING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Transcript:
    """Lengths of a transcript's UTRs, coding exons and introns in bp, from its 5' end; all exons are coding."""

    utr5: int
    coding: tuple[int, ...]
    introns: tuple[int, ...]
    utr3: int

    @property
    def exon_density(self) -> float:
        """Coding exons per kb of coding sequence."""
        return 1000 * len(self.coding) / sum(self.coding)

    def parts(self) -> Iterator[tuple[str, int, int]]:
        """Yield ``(feature, start, end)`` in bp from the TSS, half-open, in transcription order."""
        start, last = 0, len(self.coding) - 1
        for i, coding in enumerate(self.coding):
            utr5 = self.utr5 if i == 0 else 0
            utr3 = self.utr3 if i == last else 0
            end = start + utr5 + coding + utr3
            yield "exon", start, end
            if utr5:
                yield "UTR", start, start + utr5
            yield "CDS", start + utr5, end - utr3
            if utr3:
                yield "UTR", end - utr3, end
            start = end + (self.introns[i] if i < last else 0)


@dataclass(frozen=True)
class Annotation:
    """The genes of a simulated genome.

    Attributes
    ----------
    genes : DataFrame
        Protein-coding genes in genome order: gene_id, symbol, chrom, tss (0-based), strand.
    transcripts : tuple of Transcript
        One per gene, in the same order.
    noncoding : DataFrame
        lncRNA genes, with the columns of ``genes``: only in the GTF, not in the model.
    sizes : dict of str to int
        Chromosome lengths in bp.
    """

    genes: pd.DataFrame
    transcripts: tuple[Transcript, ...]
    noncoding: pd.DataFrame
    sizes: dict[str, int]


class _Gene(NamedTuple):
    gene_id: str
    symbol: str
    chrom: str
    tss: int
    strand: str


def annotate(settings: Simulation) -> Annotation:
    """Place genes along the chromosomes and draw their transcripts."""
    coding: list[pd.DataFrame] = []
    noncoding: list[pd.DataFrame] = []
    sizes: dict[str, int] = {}
    shares = np.array_split(np.arange(settings.genes), len(settings.chromosomes))
    for chrom, share in zip(settings.chromosomes, shares, strict=True):
        rng = settings.stream("annotation", chrom)
        steps = rng.integers(settings.spacing[0], settings.spacing[1] + 1, len(share))
        tss = FLANK + np.cumsum(steps) - steps[0]
        # Whole kilobases, so that the background grid and the contact bins end at the chromosome's end.
        sizes[chrom] = int(-(-(tss[-1] + FLANK) // 1000) * 1000)
        strand = np.where(rng.random(len(share)) < 0.5, "+", "-")
        coding.append(pd.DataFrame({"chrom": chrom, "tss": tss, "strand": strand}))
        between = (tss[:-1] + tss[1:]) // 2
        between = between[rng.random(len(between)) < NONCODING_SHARE]
        noncoding.append(pd.DataFrame({"chrom": chrom, "tss": between, "strand": "+"}))
    transcripts = tuple(_draw_transcript(settings.stream("transcript", str(i))) for i in range(settings.genes))
    return Annotation(_named(coding, "SIMG"), transcripts, _named(noncoding, "SIMN"), sizes)


def write_gtf(annotation: Annotation, path: Path) -> None:
    """Write genes, transcripts, exons, CDS and UTRs as GTF in GENCODE's format (1-based, closed intervals).

    Every gene has a transcript with the tag ``Ensembl_canonical`` that starts at its TSS. Every third gene has a second
    one that starts further downstream in the 5' UTR, so that readers have to choose.
    """
    with path.open("w", newline="\n") as file:
        file.write("##description: simulated genome of epigx; no real genes\n##format: gtf\n")
        coding = map(_Gene._make, annotation.genes.itertuples(index=False))
        for number, (gene, transcript) in enumerate(zip(coding, annotation.transcripts, strict=True)):
            file.writelines(_coding_lines(gene, transcript, alternative=number % 3 == 0))
        for gene in map(_Gene._make, annotation.noncoding.itertuples(index=False)):
            span = (0, 1500)
            for feature in ("gene", "transcript", "exon"):
                file.write(_line(gene, feature, span, "lncRNA", "" if feature == "gene" else ".1"))


def _named(parts: list[pd.DataFrame], prefix: str) -> pd.DataFrame:
    genes = pd.concat(parts, ignore_index=True).astype({"tss": np.int64})
    genes.insert(0, "gene_id", [f"{prefix}{i + 1:08d}.1" for i in range(len(genes))])
    genes.insert(1, "symbol", [f"{prefix.lower()}{i + 1}" for i in range(len(genes))])
    return genes


def _draw_transcript(rng: np.random.Generator) -> Transcript:
    """Draw lengths with medians like human ones, scaled down so that genes fit between their neighbours."""
    utr5 = int(np.clip(rng.lognormal(np.log(150), 0.6), 40, 800))
    utr3 = int(np.clip(rng.lognormal(np.log(600), 0.6), 80, 2000))
    cds = 3 * int(np.clip(rng.lognormal(np.log(400), 0.5), 100, 1000))
    n_exons = int(np.clip(round(cds / 1000 * rng.lognormal(np.log(5), 0.4)), 1, 12))
    cuts = 10 * np.sort(rng.choice(np.arange(1, cds // 10), n_exons - 1, replace=False))
    coding = np.diff([0, *cuts, cds])
    introns = rng.integers(100, 400, n_exons - 1)
    return Transcript(utr5, tuple(map(int, coding)), tuple(map(int, introns)), utr3)


def _coding_lines(gene: _Gene, transcript: Transcript, *, alternative: bool) -> Iterator[str]:
    parts = list(transcript.parts())
    body = (0, parts[-1][2])
    yield _line(gene, "gene", body, "protein_coding")
    starts = [(".1", 0)] + ([(".2", transcript.utr5 // 2)] if alternative else [])
    for version, first in starts:
        tag = ' tag "Ensembl_canonical";' if first == 0 else ""
        yield _line(gene, "transcript", (first, body[1]), "protein_coding", version, tag)
        for feature, start, end in parts:
            yield _line(gene, feature, (max(start, first), end), "protein_coding", version, tag)


def _line(gene: _Gene, feature: str, span: tuple[int, int], kind: str, version: str = "", tag: str = "") -> str:
    """Format one GTF line; ``span`` is in bp from the TSS along the gene's strand, half-open."""
    if gene.strand == "+":
        start, end = gene.tss + span[0] + 1, gene.tss + span[1]
    else:
        start, end = gene.tss - span[1] + 2, gene.tss - span[0] + 1
    identity = f'gene_id "{gene.gene_id}"; '
    if version:
        identity += f'transcript_id "{gene.gene_id.replace("SIM", "SIMT").removesuffix(".1")}{version}"; '
    identity += f'gene_type "{kind}"; gene_name "{gene.symbol}";'
    return f"{gene.chrom}\tsimulated\t{feature}\t{start}\t{end}\t.\t{gene.strand}\t.\t{identity}{tag}\n"
