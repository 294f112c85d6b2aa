"""DNA: random bases, with motifs around each TSS that determine foreground activity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from epigx.simulator.annotation import Annotation
from epigx.simulator.settings import Simulation

__all__ = ["MOTIFS", "Motif", "motif_score", "plan_sites", "write_fasta"]


@dataclass(frozen=True, slots=True)
class Motif:
    """A binding site: its consensus, and the weight of one exact copy in a gene's motif score."""

    name: str
    consensus: str
    weight: float


# Twelve bases each: by chance a site occurs about once in 8 Mb of both strands, so hardly ever near a TSS.
MOTIFS: Final = (
    Motif("NRF1", "TGCGCATGCGCA", 1.0),
    Motif("ETS", "AACCGGAAGTGA", 0.8),
    Motif("SP1", "GGGGGCGGGGCC", 0.6),
    Motif("REST", "TTCAGCACCACG", -0.9),
)
COPIES_PER_MOTIF = 1.5
WEAK_SHARE, WEAK_STRENGTH, WEAK_SUBSTITUTIONS = 0.3, 0.5, 2
SLOT, REACH = 16, 240  # sites are on a 16 bp grid within 240 bp of the TSS, so a 500 bp window contains all

BASES = np.frombuffer(b"ACGT", dtype=np.uint8)
GC_CONTENT = 0.42
LINE = 80
_COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def plan_sites(settings: Simulation) -> pd.DataFrame:
    """Draw the motif copies of each gene.

    Returns
    -------
    DataFrame
        One row per copy: gene (row of the annotation), motif (index into `MOTIFS`), offset (bp of its first base from
        the TSS, on the plus strand), reverse (bool), strength (1, or 0.5 for a weakened copy).
    """
    rng = settings.stream("motifs")
    n_slots = 2 * REACH // SLOT
    rows = []
    for gene in range(settings.genes):
        motifs = np.repeat(np.arange(len(MOTIFS)), rng.poisson(COPIES_PER_MOTIF, len(MOTIFS)))[:n_slots]
        slots = rng.choice(n_slots, len(motifs), replace=False)
        reverse = rng.random(len(motifs)) < 0.5
        strength = np.where(rng.random(len(motifs)) < WEAK_SHARE, WEAK_STRENGTH, 1.0)
        rows.append(
            pd.DataFrame(
                {
                    "gene": gene,
                    "motif": motifs,
                    "offset": slots * SLOT - REACH,
                    "reverse": reverse,
                    "strength": strength,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def motif_score(sites: pd.DataFrame, n_genes: int) -> np.ndarray:
    """Return the standardised sum of weight × strength over each gene's sites, float64 (n_genes,)."""
    weights = np.array([motif.weight for motif in MOTIFS])
    added = weights[sites["motif"]] * sites["strength"].to_numpy()
    score = np.bincount(sites["gene"], weights=added, minlength=n_genes)
    return np.asarray((score - score.mean()) / score.std())


def write_fasta(settings: Simulation, annotation: Annotation, sites: pd.DataFrame, path: Path) -> None:
    """Write the genome as FASTA, with one chromosome in memory at a time."""
    genes = annotation.genes.loc[sites["gene"]].reset_index(drop=True)
    sites = sites.assign(chrom=genes["chrom"], start=genes["tss"] + sites["offset"])
    with path.open("wb") as file:
        for chrom, size in annotation.sizes.items():
            bases = _draw_bases(settings.stream("bases", chrom), size)
            rng = settings.stream("weakened", chrom)
            here = sites[sites["chrom"] == chrom]
            for motif, start, reverse, strength in zip(
                here["motif"], here["start"], here["reverse"], here["strength"], strict=True
            ):
                copy = _site_bases(MOTIFS[motif], reverse, strength < 1, rng)
                bases[start : start + len(copy)] = copy
            file.write(f">{chrom} simulated\n".encode())
            text = bases.tobytes()
            file.writelines(text[i : i + LINE] + b"\n" for i in range(0, size, LINE))


def _draw_bases(rng: np.random.Generator, size: int) -> np.ndarray:
    # Each byte selects a base: C or G below `gc`, otherwise A or T. Much faster than Generator.choice with weights.
    byte = rng.integers(0, 256, size, dtype=np.uint8)
    gc = round(256 * GC_CONTENT)
    table = np.empty(256, dtype=np.uint8)
    table[:gc] = BASES[1 + np.arange(gc) % 2]
    table[gc:] = BASES[3 * (np.arange(256 - gc) % 2)]
    return table[byte]


def _site_bases(motif: Motif, reverse: bool, weak: bool, rng: np.random.Generator) -> np.ndarray:
    text = motif.consensus.encode()
    if reverse:
        text = text.translate(_COMPLEMENT)[::-1]
    bases = np.frombuffer(text, dtype=np.uint8).copy()
    if weak:
        for position in rng.choice(len(bases), WEAK_SUBSTITUTIONS, replace=False):
            bases[position] = rng.choice(BASES[bases[position] != BASES])
    return bases
