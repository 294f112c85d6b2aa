"""The settings of a simulated genome, and its random streams."""

from __future__ import annotations

import zlib
from typing import Annotated, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from epigx.config import Config
from epigx.dataset.manifest.split import PAPER

__all__ = ["Simulation"]

Cell = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]
"""A cell type's name that is valid in a manifest."""

Record = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A chromosome name that is valid in FASTA headers and all other files."""


class Simulation(Config):
    """The settings of a simulated genome.

    Settings that differ only in ``confounding``, ``flip`` or ``noise`` give the same DNA, annotation, signals and
    contacts; only expression changes. Comparisons between them are therefore paired.
    """

    genes: int = Field(default=1000, ge=20, le=100_000)
    """Protein-coding genes, spread evenly over the chromosomes."""

    cell_types: dict[Cell, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={"simA": 0.3, "simB": 0.3}, min_length=1
    )
    """Cell types by name, with the share of the variance of foreground activity that is specific to the cell type and
    not determined by DNA: the activities of two cell types a and b correlate at sqrt((1 - a)(1 - b))."""

    chromosomes: tuple[Record, ...] = Field(
        default=("chr1", "chr2", "chr3", "chr4", "chr5", "chr6", "chr7", "chr21", "chr22", "chrX"), min_length=1
    )
    """Chromosomes. The paper's split holds out chr3 and chr21 for validation, chr22 and chrX for testing."""

    spacing: tuple[Annotated[int, Field(ge=2_000)], Annotated[int, Field(le=1_000_000)]] = (10_000, 20_000)
    """Smallest and largest distance between neighbouring TSSs, in bp."""

    neighbourhood: int = Field(default=150_000, ge=10_000)
    """Length over which the background state is similar, in bp; it should span several genes."""

    confounding: float = Field(default=0.4, ge=-3, le=3)
    """Strength of C → Y: log10 expression per standard deviation of the background state. 0 removes the arrow."""

    flip: bool = False
    """Whether C → Y has the opposite sign on the test chromosomes."""

    noise: float = Field(default=0.3, ge=0, le=3)
    """Standard deviation of expression around its causes, in log10 units."""

    seed: int = Field(default=0, ge=0)
    """Seed of all random numbers."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.chromosomes)) < len(self.chromosomes):
            raise ValueError(f"chromosomes has a name twice ({', '.join(self.chromosomes)}); name each once")
        if self.spacing[0] > self.spacing[1]:
            raise ValueError(f"spacing runs from the larger to the smaller distance {self.spacing}; swap the two")
        if self.genes < len(self.chromosomes):
            raise ValueError(
                f"{self.genes} genes are too few for {len(self.chromosomes)} chromosomes; use one or more each"
            )
        if self.flip and not self.test_chromosomes:
            raise ValueError(
                f"flip reverses C → Y on the test chromosomes, but none of {', '.join(sorted(PAPER.test))} is "
                f"among the chromosomes ({', '.join(self.chromosomes)}); add one"
            )
        return self

    @property
    def test_chromosomes(self) -> tuple[str, ...]:
        """The test chromosomes of the paper's split."""
        split = PAPER.of(np.asarray(self.chromosomes))
        return tuple(chrom for chrom, name in zip(self.chromosomes, split, strict=True) if name == "test")

    def stream(self, *purpose: str) -> np.random.Generator:
        """Return the random stream of one purpose (``"background", "chr1", "simA"``), independent of all others."""
        return np.random.default_rng([self.seed, *(zlib.crc32(word.encode()) for word in purpose)])
