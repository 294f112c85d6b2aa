"""Keys of the manifest for genomic regions that some models read: peaks, and candidate enhancers made from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from epigx.config import Config

__all__ = ["ElementSource", "PeakSource"]


class PeakSource(Config):
    """The peaks of one cell type: a file, or how to call them; a plain path is short for ``{file: path}``."""

    file: str | None = None
    """A narrowPeak or BED file."""
    signal: str | None = None
    """Name of the accessibility signal from which to call peaks."""
    cutoff: float | None = Field(default=None, gt=0)
    """The lowest raw signal value inside a peak."""
    min_length: int | None = Field(default=None, ge=1)
    """The length of the shortest peak, in bp; 200 by default."""
    max_gap: int | None = Field(default=None, ge=0)
    """The largest gap in bp between intervals above the cutoff that are merged into one peak; 30 by default."""
    caller: Literal["threshold", "macs3"] | None = None
    """``threshold`` (built in, the default) or ``macs3`` (``macs3 bdgpeakcall``, which applies the same rule)."""

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, values: Any) -> Any:
        return {"file": values} if isinstance(values, str) else values

    @model_validator(mode="after")
    def _check_source(self) -> PeakSource:
        if (self.file is None) == (self.signal is None):
            raise ValueError("give either a file of peaks, or a signal to call them from")
        if self.file is not None and (self.rule() or self.caller):
            raise ValueError(
                "cutoff, min_length, max_gap and caller apply to peak calling from a signal, not to a file"
            )
        if self.signal is not None and self.cutoff is None:
            raise ValueError("peak calling needs a cutoff, the lowest raw signal value inside a peak")
        return self

    def rule(self) -> dict[str, Any]:
        """Return the peak calling parameters that were set."""
        values = {name: getattr(self, name) for name in ("cutoff", "min_length", "max_gap")}
        return {name: value for name, value in values.items() if value is not None}


class ElementSource(Config):
    """Candidate enhancers around each TSS: 500 bp around each peak summit, merged where they overlap.

    The nearest ``count`` elements are stored among those whose centre is at most ``reach`` from the TSS and that do not
    overlap the promoter (TSS ± ``length / 2``).
    """

    count: int = Field(default=60, ge=1)
    """The largest number of elements per gene, without the promoter."""
    reach: int = Field(default=100_000, ge=1_000)
    """The largest distance between TSS and centre of an element, in bp."""
    length: int = Field(default=2_000, ge=500, multiple_of=2)
    """Length in bp stored for each element and the promoter; longer elements are cropped around their centre."""
    h3k27ac: str = "h3k27ac"
    """Name of the H3K27ac signal."""
    accessibility: str = "dnase"
    """Name of the DNase or ATAC signal; activity is √(mean H3K27ac · mean accessibility)."""
    contact: str | None = None
    """Name of the contact signal; a power law of distance by default."""
