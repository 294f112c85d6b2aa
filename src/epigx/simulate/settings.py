"""The knobs of a simulated genome, and the random streams that its parts draw from."""

from __future__ import annotations

import zlib
from typing import Annotated, Self

import numpy as np
from pydantic import Field, StringConstraints, model_validator

from epigx.config import Config
from epigx.dataset.manifest.split import PAPER

__all__ = ["Simulation"]

Cell = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]
"""A cell type's name, as a manifest allows it."""

Record = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A chromosome name that a FASTA header and every file after it can hold."""


class Simulation(Config):
    """What a simulated genome is drawn from.

    Two settings that differ in ``confounding``, ``flip`` or ``noise`` alone give the same DNA, annotation, signals and
    contacts: only expression changes. A sweep over them is therefore paired.
    """

    genes: int = Field(default=1000, ge=20, le=100_000)
    """Protein-coding genes, shared out evenly over the chromosomes."""

    cell_types: dict[Cell, Annotated[float, Field(ge=0, le=1)]] = Field(
        default={"simA": 0.3, "simB": 0.3}, min_length=1
    )
    """Cell types by name, each with the share of the variance of its foreground activity that is its own and not
    written in the DNA: the activities of two cell types a and b correlate at sqrt((1 - a)(1 - b))."""

    chromosomes: tuple[Record, ...] = Field(
        default=("chr1", "chr2", "chr3", "chr4", "chr5", "chr6", "chr7", "chr21", "chr22", "chrX"), min_length=1
    )
    """Chromosomes. The paper's split holds out chr3 and chr21 for validation, chr22 and chrX for the test."""

    spacing: tuple[Annotated[int, Field(ge=2_000)], Annotated[int, Field(le=1_000_000)]] = (10_000, 20_000)
    """Smallest and largest distance between neighbouring TSSs, in bp."""

    neighbourhood: int = Field(default=150_000, ge=10_000)
    """Length over which the background state stays alike, in bp; it should hold several genes."""

    confounding: float = Field(default=0.4, ge=-3, le=3)
    """Strength of C → Y: log10 expression per standard deviation of the background state. 0 removes the arrow."""

    flip: bool = False
    """Whether C → Y has the opposite sign on the test chromosomes."""

    noise: float = Field(default=0.3, ge=0, le=3)
    """Standard deviation of expression around its causes, in log10 units."""

    seed: int = Field(default=0, ge=0)
    """Everything random derives from it."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.chromosomes)) < len(self.chromosomes):
            raise ValueError(f"chromosomes holds a name twice ({', '.join(self.chromosomes)})")
        if self.spacing[0] > self.spacing[1]:
            raise ValueError(f"spacing runs from the larger to the smaller distance {self.spacing}; swap the two")
        if self.genes < len(self.chromosomes):
            raise ValueError(f"{self.genes} genes leave some of {len(self.chromosomes)} chromosomes without any")
        if self.flip and not self.test_chromosomes:
            raise ValueError(
                f"flip reverses C → Y on the test chromosomes, and none of {', '.join(sorted(PAPER.test))} is "
                f"among the chromosomes ({', '.join(self.chromosomes)})"
            )
        return self

    @property
    def test_chromosomes(self) -> tuple[str, ...]:
        """The chromosomes that the paper's split keeps for the test."""
        split = PAPER.of(np.asarray(self.chromosomes))
        return tuple(chrom for chrom, part in zip(self.chromosomes, split, strict=True) if part == "test")

    def stream(self, *purpose: str) -> np.random.Generator:
        """Return the random stream of one purpose: independent of all others, and of what was drawn before.

        Parameters
        ----------
        *purpose : str
            What the numbers are for (``"background", "chr1", "simA"``).
        """
        return np.random.default_rng([self.seed, *(zlib.crc32(word.encode()) for word in purpose)])
