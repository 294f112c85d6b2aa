"""The files of a manifest: where a cell type's signals and labels are, and where the genes' features come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from epigx.config import Config
from epigx.dataset.manifest.regions import PeakSource

__all__ = [
    "CellType",
    "ContactKind",
    "Expression",
    "FeatureColumn",
    "FeatureTransform",
    "Features",
    "Name",
    "PromoterActivity",
    "SignalFile",
    "TrackKind",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]
"""A name that is also a file name and a part of a column name and of a dotted key."""

TrackKind = Literal["bigwig", "bedgraph", "narrowpeak"]
ContactKind = Literal["hic", "cool", "mcool", "bedpe", "powerlaw"]

FeatureTransform = Literal["none", "zscore", "log10zscore"]
"""How a feature is scaled by the training genes: not, (x − mean) / sd, or the same of log10(1 + x)."""

_KIND_OF_SUFFIX = {
    ".bigwig": "bigwig",
    ".bw": "bigwig",
    ".bedgraph": "bedgraph",
    ".bdg": "bedgraph",
    ".narrowpeak": "narrowpeak",
    ".hic": "hic",
    ".cool": "cool",
    ".mcool": "mcool",
    ".bedpe": "bedpe",
}


_MATRIX = ("hic", "cool", "mcool")
_OPTIONS = {
    "resolution": _MATRIX,
    "normalization": _MATRIX,
    "pseudocount": (*_MATRIX, "bedpe"),
    "column": ("bedpe",),
    "slack": ("bedpe",),
}


class SignalFile(Config):
    """Where one cell type's signal is; a plain path is short for ``{file: path}``."""

    file: str | None = None
    """The file; absent for ``kind: powerlaw`` alone."""
    kind: TrackKind | ContactKind
    """The format; told from the file's suffix when left out."""
    resolution: int | None = Field(default=None, ge=1)
    """Bin size of contacts in bp (``hic``, ``cool``, ``mcool``); 5,000 when left out."""
    normalization: str | None = None
    """Normalisation of contacts by its name in the file (``hic``, ``cool``, ``mcool``); raw counts when left out."""
    pseudocount: bool | None = None
    """Whether the ABC model's pseudocount is added to contacts from a file; not when left out."""
    column: int | None = Field(default=None, ge=7)
    """The column of a loop's value (``bedpe``), counted from 1; the last that holds numbers alone when left out."""
    slack: int | None = Field(default=None, ge=0)
    """How far outside a loop's anchor a TSS may lie and count as inside (``bedpe``), in bp; 0 when left out."""

    @model_validator(mode="before")
    @classmethod
    def _tell_kind(cls, values: Any) -> Any:
        values = {"file": values} if isinstance(values, str) else values
        if not isinstance(values, dict) or "kind" in values or not isinstance(file := values.get("file"), str):
            return values
        suffix = Path(file.removesuffix(".gz").removesuffix(".bgz")).suffix.lower()
        if suffix not in _KIND_OF_SUFFIX:
            kinds = ", ".join(sorted(set(_KIND_OF_SUFFIX.values())))
            raise ValueError(f"the kind of {file} cannot be told from its name; give `kind:`, one of {kinds}")
        return {**values, "kind": _KIND_OF_SUFFIX[suffix]}

    @model_validator(mode="after")
    def _check_file(self) -> SignalFile:
        if (self.file is None) != (self.kind == "powerlaw"):
            raise ValueError(f"kind {self.kind} {'takes no file' if self.file else 'needs a file'}")
        for option in self.options():
            if self.kind not in _OPTIONS[option]:
                raise ValueError(f"{option} is an option of {', '.join(_OPTIONS[option])}, and not of {self.kind}")
        return self

    def options(self) -> dict[str, Any]:
        """Return how the file is read where that was said."""
        values = {option: getattr(self, option) for option in _OPTIONS}
        return {option: value for option, value in values.items() if value is not None}

    @property
    def is_contact(self) -> bool:
        """Whether values are contacts with the TSS and not a track along the genome."""
        return self.kind in get_args(ContactKind)


class Expression(Config):
    """The label of a cell type: a column of a table, or CAGE as one bigWig or a stranded pair."""

    file: str | None = None
    """TSV or CSV with a gene identifier column."""
    column: str | None = None
    """The column of ``file`` that holds the expression."""
    transform: Literal["log10p1", "none"] = "log10p1"
    """How ``column`` becomes the label; ``none`` when it holds log10(1 + x) already."""
    plus: str | None = None
    """CAGE of the plus strand, or of both strands when ``minus`` is absent."""
    minus: str | None = None
    """CAGE of the minus strand."""
    width: int = Field(default=384, ge=2, multiple_of=2)
    """bp around the TSS over which CAGE is summed; the paper's 384 are three bins of 128."""

    @model_validator(mode="after")
    def _check_source(self) -> Expression:
        table = self.file is not None and self.column is not None
        if table == (self.plus is not None) or (self.file is None) != (self.column is None):
            raise ValueError("give either a table (file, column) or CAGE (plus, and minus when it is stranded)")
        if self.minus is not None and self.plus is None:
            raise ValueError("CAGE of the minus strand needs that of the plus strand")
        if table and self.width != 384:
            raise ValueError("width is for CAGE; a table column has its own")
        if not table and self.transform != "log10p1":
            raise ValueError("CAGE is always log10(1 + sum); transform is for a table column")
        return self


class CellType(Config):
    """The files of one cell type."""

    signals: dict[Name, SignalFile]
    """One file for each of the manifest's signals."""
    expression: Expression | None = None
    """The label; without one the cell type can be predicted, not trained on or scored."""
    peaks: PeakSource | None = None
    """Accessibility peaks: a narrowPeak or BED file, or how they are called on a signal."""


class FeatureColumn(Config):
    """One transcript feature; a plain transform is short for ``{transform: …}``."""

    transform: FeatureTransform = "none"
    """How the training genes scale it."""
    column: str | None = None
    """The column's name in the file where it differs from the feature's."""
    minimum: float | None = 0.0
    """The smallest value that makes sense (lengths, densities and shares are ≥ 0); smaller ones count as missing."""
    maximum: float | None = None
    """The largest value that makes sense; larger ones count as missing."""

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, values: Any) -> Any:
        return {"transform": values} if isinstance(values, str) else values

    @model_validator(mode="after")
    def _check_log(self) -> FeatureColumn:
        if self.transform == "log10zscore" and (self.minimum is None or self.minimum < 0):
            raise ValueError("transform log10zscore needs a minimum of 0 or more")
        return self


class PromoterActivity(Config):
    """The feature √(mean H3K27ac · mean accessibility) over TSS ± 500 bp, taken from two of the signals."""

    h3k27ac: str = "h3k27ac"
    """Name of the signal that holds H3K27ac."""
    accessibility: str = "dnase"
    """Name of the signal that holds DNase or ATAC."""
    transform: FeatureTransform = "none"
    """How the training genes scale it."""


_OF_GENES = {"gene_id", "symbol", "chrom", "tss", "strand", "dna_coverage"}


class Features(Config):
    """The per-gene scalars given to the head."""

    file: str | None = None
    """A TSV or CSV with a gene identifier column, or a GTF from which the transcript features are computed."""
    columns: dict[Name, FeatureColumn] = Field(default_factory=dict)
    """The features to take from ``file``."""
    promoter_activity: PromoterActivity | None = None
    """The one feature that differs between cell types."""

    @model_validator(mode="after")
    def _check_file(self) -> Features:
        if (self.file is None) != (not self.columns):
            raise ValueError("file and columns go together: name the columns to take from the file")
        if taken := sorted(_OF_GENES.intersection(self.columns)):
            raise ValueError(
                f"{taken[0]} is a name that every dataset has already; "
                f"name the feature otherwise and say `column: {taken[0]}`"
            )
        if self.promoter_activity is not None and "promoter_activity" in self.columns:
            raise ValueError("promoter_activity is both a column and computed from the signals; keep one")
        return self
