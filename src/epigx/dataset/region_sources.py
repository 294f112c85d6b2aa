"""The manifest's words for stretches of the genome that some models read: peaks, and elements made from them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from epigx.config import Config

__all__ = ["ElementSource", "PeakCalling"]


class PeakCalling(Config):
    """Peaks of one cell type called on one of its signals; where there is a file of peaks, its path stands instead."""

    signal: str
    """Name of the signal, a track of accessibility."""
    cutoff: float = Field(gt=0)
    """The lowest raw value of a peak's bases."""
    min_length: int = Field(default=200, ge=1)
    """The shortest peak, in bp."""
    max_gap: int = Field(default=30, ge=0)
    """bp that stretches above the cutoff may lie apart and be one peak."""
    caller: Literal["threshold", "macs3"] = "threshold"
    """``threshold``: built in; ``macs3``: the program's ``bdgpeakcall``, which has the same rule."""


class ElementSource(Config):
    """Candidate enhancers around each TSS: peaks made 500 bp long around their summit, merged where they overlap.

    Of those that lie further than ``length / 2`` from the TSS, do not overlap the promoter and reach no further than
    ``reach``, the nearest ``count`` are stored. Distances are from the TSS to the element's centre.
    """

    count: int = Field(default=60, ge=1)
    """Most elements of a gene, the promoter not counted."""
    reach: int = Field(default=100_000, ge=1_000)
    """Largest distance from the TSS, in bp."""
    length: int = Field(default=2_000, ge=500, multiple_of=2)
    """bp stored of each element and of the promoter; longer elements are cut to their centre."""
    h3k27ac: str = "h3k27ac"
    """Name of the signal that holds H3K27ac."""
    accessibility: str = "dnase"
    """Name of the signal that holds DNase or ATAC; activity is √(mean H3K27ac · mean accessibility)."""
    contact: str | None = None
    """Name of the signal that holds contacts; the power law of distance when left out."""
