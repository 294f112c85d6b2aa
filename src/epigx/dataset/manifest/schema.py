"""The manifest: the input files of a dataset, for one genome and any number of cell types.

A manifest is YAML (:func:`read_manifest` shows one) or a sheet with one row per cell type. Paths are relative to
``root``, which is relative to the manifest's folder.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError
from pydantic_core import InitErrorDetails

from epigx.config import Config, first_problem, not_yaml, read_yaml
from epigx.dataset.manifest.sources import (
    CellType,
    ElementSource,
    Expression,
    FeatureColumn,
    Features,
    FeatureTransform,
    Name,
    PeakSource,
    PromoterActivity,
    SignalFile,
)
from epigx.dataset.manifest.split import Chromosome, Split
from epigx.dataset.signals import Role, Transform
from epigx.dataset.window_grid import Orient
from epigx.errors import ConfigError, InputError

__all__ = [
    "CellType",
    "ElementSource",
    "Expression",
    "FeatureColumn",
    "FeatureTransform",
    "Features",
    "Manifest",
    "PeakSource",
    "PromoterActivity",
    "SignalFile",
    "SignalSpec",
    "read_manifest",
]


class SignalSpec(Config):
    """A signal, present in every cell type."""

    role: Role
    """``foreground`` (regulates expression directly) or ``background`` (may confound)."""
    transform: Transform = "none"
    """Scaling on load; the dataset stores raw values."""
    unit: str = ""
    """Unit of the values (``fold change``), for display only."""


class Manifest(Config):
    """All inputs of a dataset."""

    root: Path = Path(".")
    """The folder that the paths below are relative to."""
    assembly: str
    """Name of the genome's assembly (``hg38``), for display only."""
    genome: str
    """FASTA, plain or bgzipped."""
    genes: str
    """One TSS per gene: GTF, BED, or a table with gene_id, chrom, tss, strand."""
    chromosomes: tuple[Chromosome, ...] | None = None
    """The chromosomes whose genes are used; by default all in the gene file."""
    orient: Orient = "genome"
    """``genome``: read all windows on the plus strand, as the paper does; ``strand``: on the gene's strand."""
    split: Split
    """The chromosomes held out for validation and test."""
    signals: dict[Name, SignalSpec] = Field(min_length=1)
    """The signals, in the order of the model's channels."""
    features: Features | None = None
    """Numbers per gene, such as transcript lengths."""
    blacklist: str | None = None
    """BED of the assembly's regions with unreliable signal, for models that use it."""
    elements: ElementSource | None = None
    """Candidate enhancers around each TSS, for models that use them; made from each cell type's peaks."""
    cell_types: dict[Name, CellType] = Field(min_length=1)
    """The cell types by name."""
    dtype: Literal["float16", "float32"] = "float16"
    """Type of the stored signals; float16 stores values up to 65,504 with three significant digits."""

    def locate(self, file: str) -> Path:
        """Return the path of a file of the manifest."""
        return self.root / file

    def files(self) -> list[str]:
        """Return every file of the manifest once, as written there."""
        named = [self.genome, self.genes]
        named += [self.features.file] if self.features and self.features.file else []
        for cell in self.cell_types.values():
            named += [signal.file for signal in cell.signals.values() if signal.file]
            label = cell.expression
            named += [file for file in (label.file, label.plus, label.minus) if file] if label else []
            named += [cell.peaks.file] if cell.peaks and cell.peaks.file else []
        named += [self.blacklist] if self.blacklist else []
        return list(dict.fromkeys(named))


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest.

    A ``.tsv`` file is a sheet: comment lines (``#``) contain the YAML of everything but the cell types. Below them is a
    table with the column ``cell_type`` and one column per key of a cell type, with dots (``signals.h3k27ac``,
    ``expression.file``, ``expression.column``). An empty field leaves the key out.

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
                peaks: k562.dnase.narrowPeak.gz  # or {signal: dnase, cutoff: 2}
            blacklist: hg38.blacklist.bed
            elements: {contact: hic}

    Raises
    ------
    InputError
        The file does not exist.
    ConfigError
        The file is not YAML or a sheet, or has unknown keys or invalid values; the message lists all of them.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{path} {what}. Give the path of a manifest (YAML, or a TSV sheet).")
    try:
        values = _read_sheet(path) if path.suffix == ".tsv" else read_yaml(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(not_yaml(path, error)) from None
    if isinstance(values, dict):
        values = {**values, "root": path.parent.absolute() / str(values.get("root", "."))}
    try:
        return Manifest.model_validate(values)
    except ValidationError as error:
        problems = _problems(error)
        if len(problems) == 1:
            raise ConfigError(f"{path}: {problems[0]}") from None
        raise ConfigError("\n  ".join([f"{path} has {len(problems)} errors:", *problems])) from None


def _problems(error: ValidationError) -> list[str]:
    """Return a sentence for each problem of a manifest, unknown keys first."""
    found = sorted(error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden")
    sentences: list[str] = []
    for problem in found:
        details: InitErrorDetails = {"type": problem["type"], "loc": problem["loc"], "input": problem["input"]}
        if "ctx" in problem:
            details["ctx"] = problem["ctx"]
        typo = f" Did you mean {problem['loc'][-1]!r}?" if problem["loc"] else ""
        if problem["type"] == "missing" and any(sentence.endswith(typo) for sentence in sentences):
            continue  # the key is there, but misspelt
        sentences.append(first_problem(ValidationError.from_exception_data(error.title, [details]), Manifest))
    return sentences


def _read_sheet(path: Path) -> Any:
    """Return the plain values of a TSV sheet, as YAML would give them."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()  # spreadsheet programs add a byte order mark
    values = read_yaml("\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith("#")))
    rows = csv.DictReader((line for line in lines if line.strip() and not line.startswith("#")), delimiter="\t")
    if rows.fieldnames is None or "cell_type" not in rows.fieldnames:
        raise ConfigError(f"{path} has no column 'cell_type'. Give one row per cell type, with tabs between columns.")
    if not isinstance(values, dict):
        raise ConfigError(f"{path} has no `# genome:` line. Put `# genome: …` and the other keys above the table.")
    cell_types: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.pop("cell_type")
        if name in cell_types:
            raise ConfigError(f"{path} has two rows for the cell type {name!r}. Keep one.")
        cell_types[name] = _nest({key: value for key, value in row.items() if key and value})
    return {**values, "cell_types": cell_types}


def _nest(flat: dict[str, str]) -> dict[str, Any]:
    """Turn dotted keys into nested dictionaries."""
    nested: dict[str, Any] = {}
    for dotted, value in flat.items():
        *parents, last = dotted.split(".")
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
        level[last] = value
    return nested
