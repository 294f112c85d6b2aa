"""The manifest: which file holds what, for one genome and any number of cell types.

A manifest is YAML (:func:`read_manifest` shows one) or a sheet with a row for each cell type. Paths are relative to
``root``, which is itself relative to the manifest's folder.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, field_validator, model_validator

from epigx.config import Config
from epigx.dataset.signals import Role, Transform
from epigx.dataset.split import Split
from epigx.errors import ConfigError, InputError

__all__ = [
    "CellType",
    "ContactKind",
    "Expression",
    "FeatureColumn",
    "FeatureTransform",
    "Features",
    "Manifest",
    "PromoterActivity",
    "SignalFile",
    "SignalSpec",
    "TrackKind",
    "read_manifest",
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


class SignalSpec(Config):
    """A signal that every cell type has."""

    role: Role
    """``foreground`` (regulates directly) or ``background`` (may confound)."""
    transform: Transform = "none"
    """The scaling on load; the dataset keeps raw values."""
    unit: str = ""
    """What a value means, for people."""


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
        binned = self.resolution is not None or self.normalization is not None
        if binned and self.kind not in ("hic", "cool", "mcool"):
            raise ValueError(f"kind {self.kind} has no bins, so it takes neither resolution nor normalization")
        return self

    @property
    def is_contact(self) -> bool:
        """Whether values are contacts with the TSS and not a track along the genome."""
        return self.kind in ("hic", "cool", "mcool", "bedpe", "powerlaw")


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


class Features(Config):
    """The per-gene scalars given to the head."""

    file: str | None = None
    """A TSV or CSV with a gene identifier column, or a GTF from which the transcript features are computed."""
    columns: dict[Name, FeatureColumn] = {}
    """The features to take from ``file``."""
    promoter_activity: PromoterActivity | None = None
    """The one feature that differs between cell types."""

    @model_validator(mode="after")
    def _check_file(self) -> Features:
        if (self.file is None) != (not self.columns):
            raise ValueError("file and columns go together: name the columns to take from the file")
        if self.promoter_activity is not None and "promoter_activity" in self.columns:
            raise ValueError("promoter_activity is both a column and computed from the signals; keep one")
        return self


class Manifest(Config):
    """All inputs of a dataset."""

    root: Path = Path(".")
    """The folder that the paths below are relative to."""
    assembly: str
    """Name of the genome's assembly (``hg38``), for people and for the report."""
    genome: str
    """FASTA, plain or bgzip."""
    genes: str
    """One TSS per gene: GTF, BED, or a table with gene_id, chrom, tss, strand."""
    chromosomes: tuple[str, ...] | None = None
    """The chromosomes whose genes are taken; all of the gene file when left out."""
    orient: Literal["genome", "strand"] = "genome"
    """``genome``: every window is read on the plus strand, as the paper does; ``strand``: along the gene."""
    split: Split
    """The chromosomes held out for validation and test."""
    signals: dict[Name, SignalSpec]
    """The signals, in the order of the model's channels."""
    features: Features | None = None
    """The per-gene scalars."""
    cell_types: dict[Name, CellType] = Field(min_length=1)
    """The cell types by name."""
    dtype: Literal["float16", "float32"] = "float16"
    """How signals are stored; float16 holds values up to 65,504 with three significant digits."""

    @field_validator("signals")
    @classmethod
    def _check_signals(cls, signals: dict[str, SignalSpec]) -> dict[str, SignalSpec]:
        if not signals:
            raise ValueError("name at least one signal")
        return signals

    def locate(self, file: str) -> Path:
        """Return where a file of the manifest is."""
        return self.root / file

    def files(self) -> list[str]:
        """Return every file that the manifest names, as it is written there, each once."""
        named = [self.genome, self.genes]
        named += [self.features.file] if self.features and self.features.file else []
        for cell in self.cell_types.values():
            named += [signal.file for signal in cell.signals.values() if signal.file]
            label = cell.expression
            named += [file for file in (label.file, label.plus, label.minus) if file] if label else []
        return list(dict.fromkeys(named))


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest.

    A file that ends in ``.tsv`` is a sheet: comment lines (``#``) hold the YAML of everything but the cell types, then
    comes a table with the column ``cell_type`` and one column for each key of a cell type, dotted
    (``signals.h3k27ac``, ``expression.file``, ``expression.column``); an empty field leaves the key out.

    Parameters
    ----------
    path : str or Path
        YAML file or TSV sheet, such as ::

            assembly: hg38
            genome: hg38.fa.gz
            genes: gencode.gtf.gz
            split: {valid: [chr3, chr21], test: [chr22, chrX]}
            signals:
              h3k27ac: {role: foreground, transform: log1p}
              hic: {role: background, transform: log10p1}
            features:
              file: gencode.gtf.gz
              columns: {cds_length: log10zscore, cds_gc: none}
            cell_types:
              K562:
                signals: {h3k27ac: k562.h3k27ac.bigWig, hic: k562.mcool}
                expression: {plus: k562.cage.plus.bigWig, minus: k562.cage.minus.bigWig}

    Raises
    ------
    InputError
        The file does not exist.
    ConfigError
        It is not YAML or a sheet, a key is unknown, or a value cannot work.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist. Give the path of a manifest (YAML, or a TSV sheet).")
    try:
        values = _read_sheet(path) if path.suffix == ".tsv" else yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if isinstance(values, dict):
        values = {**values, "root": path.parent.absolute() / str(values.get("root", "."))}
    return Manifest.parse(values, source=str(path))


def _read_sheet(path: Path) -> Any:
    lines = path.read_text().splitlines()
    values = yaml.safe_load("\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith("#")))
    rows = csv.DictReader((line for line in lines if line.strip() and not line.startswith("#")), delimiter="\t")
    if rows.fieldnames is None or "cell_type" not in rows.fieldnames:
        raise ConfigError(f"{path} has no column 'cell_type'. Give one row for each cell type, separated by tabs.")
    if not isinstance(values, dict):
        raise ConfigError(f"{path} says nothing of the genome. Put `# genome: …` and the other keys above the table.")
    cell_types: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.pop("cell_type")
        if name in cell_types:
            raise ConfigError(f"{path} has two rows for the cell type {name!r}. Keep one.")
        cell_types[name] = _nest({key: value for key, value in row.items() if key and value})
    return {**values, "cell_types": cell_types}


def _nest(flat: dict[str, str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for dotted, value in flat.items():
        *parents, last = dotted.split(".")
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value
    return nested
