"""The manifest's words for stretches of the genome that some models read: peaks, and elements made from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from epigx.config import Config

__all__ = ["ElementSource", "PeakSource"]


class PeakSource(Config):
    """Where one cell type's peaks are: a file, or how they are called; a plain path is short for ``{file: path}``."""

    file: str | None = None
    """A narrowPeak or BED file."""
    signal: str | None = None
    """Name of the signal, a track of accessibility, on which they are called."""
    cutoff: float | None = Field(default=None, gt=0)
    """The lowest raw value of a called peak's bases."""
    min_length: int | None = Field(default=None, ge=1)
    """The shortest peak that is called, in bp; 200 when left out."""
    max_gap: int | None = Field(default=None, ge=0)
    """bp that stretches above the cutoff may lie apart and be one peak; 30 when left out."""
    caller: Literal["threshold", "macs3"] | None = None
    """``threshold``, when left out: built in; ``macs3``: the program's ``bdgpeakcall``, which has the same rule."""

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, values: Any) -> Any:
        return {"file": values} if isinstance(values, str) else values

    @model_validator(mode="after")
    def _check_source(self) -> PeakSource:
        if (self.file is None) == (self.signal is None):
            raise ValueError("give either a file of peaks, or a signal to call them on")
        if self.file is not None and (self.rule() or self.caller):
            raise ValueError("cutoff, min_length, max_gap and caller are for calling on a signal; a file has its peaks")
        if self.signal is not None and self.cutoff is None:
            raise ValueError("calling peaks on a signal needs a cutoff, the lowest raw value of a peak")
        return self

    def rule(self) -> dict[str, Any]:
        """Return what counts as a peak, where that was said."""
        values = {name: getattr(self, name) for name in ("cutoff", "min_length", "max_gap")}
        return {name: value for name, value in values.items() if value is not None}


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
