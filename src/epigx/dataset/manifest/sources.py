"""What a manifest lists: signals, labels and peaks of each cell type, elements, and features of the genes."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints, field_validator, model_validator

from epigx.config import Config
from epigx.errors import did_you_mean
from epigx.genome.formats import Format, find_format, format_kinds, format_of_file

__all__ = [
    "CellType",
    "ElementSource",
    "Expression",
    "FeatureColumn",
    "FeatureTransform",
    "Features",
    "Name",
    "PeakSource",
    "PromoterActivity",
    "SignalFile",
]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$")]
"""A name that can also be used in file names, column names and dotted keys."""

FeatureTransform = Literal["none", "zscore", "log10zscore"]
"""How a feature is scaled with the mean and sd of the training genes: not, (x − mean) / sd, or so for log10(1 + x)."""


class SignalFile(Config):
    """The file of one signal in one cell type; a plain path is short for ``{file: path}``.

    :mod:`epigx.genome.formats` has the table of formats and their options. Further keys are options of a format that
    another package adds.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")

    file: str | None = None
    """The file. Leave it out for ``kind: powerlaw``."""
    kind: str
    """The format; determined from the suffix of the file by default."""
    resolution: int | None = Field(default=None, ge=1)
    """Bin size of contacts in bp (``hic``, ``cool``, ``mcool``); 5,000 by default."""
    normalization: str | None = None
    """Normalization of contacts as named in the file (``hic``, ``cool``, ``mcool``); raw counts by default."""
    pseudocount: bool | None = None
    """Whether to add the pseudocount of the ABC model to contacts from a file; false by default."""
    column: int | None = Field(default=None, ge=7)
    """The column with the value of a loop (``bedpe``), counted from 1; the last one with only numbers by default."""
    slack: int | None = Field(default=None, ge=0)
    """Distance in bp from a loop anchor up to which a TSS counts as inside it (``bedpe``); 0 by default."""

    @model_validator(mode="before")
    @classmethod
    def _add_kind(cls, values: Any) -> Any:
        values = {"file": values} if isinstance(values, str) else values
        if not isinstance(values, dict):
            return values
        file = values.get("file")
        if "kind" not in values and isinstance(file, str):
            row = format_of_file(file)
            if row is None:
                kinds = ", ".join(format_kinds())
                raise ValueError(f"the suffix of {file} matches no known format; set `kind:` to one of {kinds}")
            values = {**values, "kind": row.kind}
        kind = values.get("kind")
        row = find_format(kind) if isinstance(kind, str) else None
        known = {*cls.model_fields, *(row.options if row else ())}
        unknown = [str(key) for key in values if key not in known]
        if unknown and (row is not None or kind is None):
            raise ValueError(f"unknown key {unknown[0]!r}.{did_you_mean(unknown[0], known)}")
        return values

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str) -> str:
        if find_format(kind) is None:
            raise ValueError(f"unknown file format {kind!r}.{did_you_mean(kind, format_kinds())}")
        return kind

    @model_validator(mode="after")
    def _check_options(self) -> SignalFile:
        if (self.file is not None) != self.format.needs_file:
            raise ValueError(f"kind {self.kind} {'takes no file' if self.file else 'needs a file'}")
        for option in self.options():
            if option not in self.format.options:
                kinds = [kind for kind in format_kinds() if option in _format(kind).options]
                raise ValueError(f"{option} is an option of {', '.join(kinds)}, not of {self.kind}")
        return self

    def options(self) -> dict[str, Any]:
        """Return the options that were set, for the function that opens the file."""
        return {name: value for name, value in self if value is not None and name not in {"file", "kind"}}

    @property
    def format(self) -> Format:
        """The row of the table of formats."""
        return _format(self.kind)

    @property
    def is_contact(self) -> bool:
        """Whether the values are contacts with the TSS rather than a track along the genome."""
        return self.format.content == "contacts"


def _format(kind: str) -> Format:
    row = find_format(kind)
    assert row is not None  # the kind has been validated
    return row


class Expression(Config):
    """The expression label of a cell type: a column of a table, or CAGE as one bigWig or one per strand."""

    file: str | None = None
    """TSV or CSV with a column of gene identifiers."""
    column: str | None = None
    """The column of ``file`` with the expression."""
    transform: Literal["log10p1", "none"] = "log10p1"
    """How the label is computed from ``column``; ``none`` if the column already is log10(1 + x)."""
    plus: str | None = None
    """CAGE of the plus strand, or of both strands if ``minus`` is not given."""
    minus: str | None = None
    """CAGE of the minus strand."""
    width: int = Field(default=384, ge=2, multiple_of=2)
    """Width in bp around the TSS over which CAGE is summed; 384 (three bins of 128) as in the paper."""

    @model_validator(mode="after")
    def _check_source(self) -> Expression:
        table = self.file is not None and self.column is not None
        if table == (self.plus is not None) or (self.file is None) != (self.column is None):
            raise ValueError("give either a table (file, column) or CAGE (plus, and minus if it is stranded)")
        if self.minus is not None and self.plus is None:
            raise ValueError("CAGE of the minus strand (minus) also needs the plus strand (plus)")
        if table and self.width != 384:
            raise ValueError("width applies to CAGE only, not to a table column")
        if not table and self.transform != "log10p1":
            raise ValueError("transform applies to a table column only; CAGE is always log10(1 + sum)")
        return self


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


class CellType(Config):
    """The files of one cell type."""

    signals: dict[Name, SignalFile]
    """One file for each signal of the manifest."""
    expression: Expression | None = None
    """The label. Cell types without one can be predicted, but not used for training or evaluation."""
    peaks: PeakSource | None = None
    """Accessibility peaks: a narrowPeak or BED file, or how to call them from a signal."""


class FeatureColumn(Config):
    """One transcript feature; a plain transform is short for ``{transform: …}``."""

    transform: FeatureTransform = "none"
    """How the feature is scaled with the mean and sd of the training genes."""
    column: str | None = None
    """The name of the column in the file; the name of the feature by default."""
    minimum: float | None = 0.0
    """The smallest plausible value (lengths, densities and fractions are ≥ 0); smaller ones count as missing."""
    maximum: float | None = None
    """The largest plausible value; larger ones count as missing."""

    @model_validator(mode="before")
    @classmethod
    def _from_transform(cls, values: Any) -> Any:
        return {"transform": values} if isinstance(values, str) else values

    @model_validator(mode="after")
    def _check_log(self) -> FeatureColumn:
        if self.transform == "log10zscore" and (self.minimum is None or self.minimum < 0):
            raise ValueError("transform log10zscore needs a minimum of 0 or more")
        return self


class PromoterActivity(Config):
    """The feature √(mean H3K27ac · mean accessibility) over TSS ± 500 bp, computed from two signals."""

    h3k27ac: str = "h3k27ac"
    """Name of the H3K27ac signal."""
    accessibility: str = "dnase"
    """Name of the DNase or ATAC signal."""
    transform: FeatureTransform = "none"
    """How the feature is scaled with the mean and sd of the training genes."""


_RESERVED = {"gene_id", "symbol", "chrom", "tss", "strand", "dna_coverage"}


class Features(Config):
    """Per-gene scalar features, which the head of the model reads."""

    file: str | None = None
    """TSV or CSV with a column of gene identifiers, or a GTF from which transcript features are computed."""
    columns: dict[Name, FeatureColumn] = Field(default_factory=dict)
    """The features to read from ``file``."""
    promoter_activity: PromoterActivity | None = None
    """Activity of the promoter, the only feature that differs between cell types."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_path(cls, values: Any) -> Any:
        if not isinstance(values, str):
            return values
        if values.lower().removesuffix(".gz").endswith((".bed", ".narrowpeak")):
            raise ValueError(
                f"{values} has regions, not one row of features per gene. Peaks of a cell type belong to that cell "
                f"type: write `peaks: {values}` there. Regions to leave out: write `blacklist: {values}` instead"
            )
        raise ValueError(
            f"name the columns to read, too: write `features: {{file: {values}, columns: {{cds_length: log10zscore}}}}`"
        )

    @model_validator(mode="after")
    def _check_file(self) -> Features:
        if (self.file is None) != (not self.columns):
            raise ValueError("file and columns go together: list the columns to read from the file")
        if taken := sorted(_RESERVED.intersection(self.columns)):
            raise ValueError(
                f"{taken[0]} is a column of every dataset; give the feature another name and set `column: {taken[0]}`"
            )
        if self.promoter_activity is not None and "promoter_activity" in self.columns:
            raise ValueError("promoter_activity is both a column and computed from the signals; remove one")
        return self
