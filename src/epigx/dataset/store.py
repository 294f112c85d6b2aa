"""The dataset on disk: a folder of plain arrays, one table and one JSON file, memory-mapped.

========================== =========================================================================================
``dataset.json``           description of the arrays and their sources; size and sha256 of every other file
``sequence.npy``           uint8 (gene, length): codes A 0, C 1, G 2, T 3, N or past the chromosome's end 4; may be a
                           hard link to the same file of another dataset
``signals/<cell type>.npy`` float16 or float32 (gene, length, signal): raw values, 0 where the files have none
``peaks/<cell type>.npy``  optional, uint8 (gene, length / 8): one bit per base, lowest bit first
``blacklist.npy``          optional, the same for the assembly's blacklist
``elements/<cell type>.…`` optional: ``sequence.npy``, uint8 (gene, 1 + count, length), base codes of the promoter and
                           the elements; ``features.npy``, float32 (gene, count, 3): distance (bp), contact, activity
``genes.parquet``          one row per gene: gene_id, symbol, chrom, tss, strand, dna_coverage, features, labels
========================== =========================================================================================

In ``genes.parquet``, labels are in the columns ``expression:<cell type>``. Features are in columns of their name, or
``<feature>:<cell type>`` if they differ between cell types. Features are raw values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.config import Config
from epigx.dataset.gene_lookup import GeneWindow, find_genes
from epigx.dataset.manifest.sources import FeatureTransform
from epigx.dataset.manifest.split import Split
from epigx.dataset.npy import REPAIR, open_array
from epigx.dataset.regions import RegionInfo, Regions
from epigx.dataset.signals import SignalInfo
from epigx.dataset.window_grid import Orient
from epigx.errors import ConfigError, DatasetError, did_you_mean

__all__ = ["FORMAT_VERSION", "Dataset", "Description", "FeatureInfo", "FileInfo", "digest", "open_dataset"]

FORMAT_VERSION = 1
"""Increased whenever older folders could be read wrongly."""

_LETTERS = np.frombuffer(b"ACGTN", np.uint8)


class FeatureInfo(Config):
    """One feature of a dataset."""

    name: str
    """Name of the feature in configurations."""
    transform: FeatureTransform = "none"
    """Default scaling, fitted on the training genes."""
    per_cell_type: bool = False
    """Whether its values differ between cell types."""


class FileInfo(Config):
    """Size and checksum of a file."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal digest of the content."""


class Description(Config):
    """The content of ``dataset.json``."""

    format_version: Literal[1] = 1
    """Version of the folder's layout."""
    epigx: str
    """The version of epigx that built it."""
    assembly: str
    """Name of the genome's assembly."""
    window: int
    """Window length in bp."""
    orient: Orient
    """The strand on which windows are read."""
    n_genes: int
    """Number of genes, the first axis of every array."""
    dtype: Literal["float16", "float32"]
    """Type of the stored signals."""
    cell_types: tuple[str, ...]
    """Cell types in the manifest's order."""
    signals: tuple[SignalInfo, ...]
    """The signals, in order."""
    features: tuple[FeatureInfo, ...]
    """The features, in order."""
    split: Split
    """The chromosomes held out."""
    regions: RegionInfo = RegionInfo()
    """Masks and elements, for models that use them."""
    sources: dict[str, FileInfo]
    """The source files by their paths in the manifest."""
    files: dict[str, FileInfo]
    """The folder's other files."""


@dataclass(frozen=True)
class Dataset:
    """Windows around genes, on disk and read-only.

    Arrays are memory-mapped: values are read from disk when they are used. A dataset can be sent to another
    process, which opens it again.

    ``dataset["GATA1"]`` returns one gene, by symbol or identifier.

    Parameters
    ----------
    path : Path
        The folder.
    about : Description
        The content of its ``dataset.json``.
    genes : DataFrame
        One row per gene, in the order of the arrays; do not change it.
    """

    path: Path
    about: Description
    genes: pd.DataFrame

    def __len__(self) -> int:
        """Return the number of genes."""
        return self.about.n_genes

    def __repr__(self) -> str:
        about = self.about
        return (
            f"Dataset({str(self.path)!r}): {about.n_genes:,} genes · {len(about.signals)} signals · "
            f"{len(about.features)} features · {about.window:,} bp · {', '.join(about.cell_types)} · {about.assembly}"
        )

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        about, splits = self.about, self.split.of(self.genes["chrom"].to_numpy())
        genes = ", ".join(f"{int((splits == name).sum()):,} {name}" for name in ("train", "valid", "test"))
        labels = (f"{name} ({int(np.isfinite(self.expression(name)).sum()):,} labels)" for name in self.cell_types)
        rows = {
            "Dataset": str(self.path),
            "Genes": f"{about.n_genes:,} ({genes})",
            "Window": f"{about.window:,} bp · {about.assembly}",
            "Signals": ", ".join(f"{signal.name} ({signal.role})" for signal in self.signals),
            "Features": ", ".join(feature.name for feature in self.features) or "none",
            "Cell types": ", ".join(labels),
        }
        cells = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in rows.items())
        return f"<table>{cells}</table>"

    def __reduce__(self) -> tuple[Any, ...]:
        return open_dataset, (self.path,)

    def __getitem__(self, name: str) -> GeneWindow:
        """Return a gene's raw values, by symbol or identifier (with or without version).

        Raises
        ------
        DatasetError
            The gene is unknown, or several genes have the symbol.
        """
        (row,) = self.find([name]).tolist()
        names = [feature.name for feature in self.features]
        values = {cell_type: self.feature_values(cell_type)[row].tolist() for cell_type in self.cell_types}
        return GeneWindow(
            gene={str(name): value for name, value in self.genes.iloc[[row]].to_dict("records")[0].items()},
            bases=_LETTERS[self.sequence[row]].tobytes().decode(),
            signal_names=tuple(signal.name for signal in self.signals),
            signals={cell_type: np.array(self.signal_values(cell_type)[row]) for cell_type in self.cell_types},
            features={cell_type: dict(zip(names, row_values, strict=True)) for cell_type, row_values in values.items()},
            labels={cell_type: float(self.expression(cell_type)[row]) for cell_type in self.cell_types},
        )

    def find(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of some genes, int64 (len(names),), by symbol or identifier (with or without version).

        Raises
        ------
        DatasetError
            A gene is unknown, or several genes have the symbol.
        """
        return find_genes(self.genes, [names] if isinstance(names, str) else names, self.path)

    @property
    def window(self) -> int:
        """Window length in bp; the TSS base is at index ``window // 2``."""
        return self.about.window

    @property
    def cell_types(self) -> tuple[str, ...]:
        """The cell types."""
        return self.about.cell_types

    @property
    def signals(self) -> tuple[SignalInfo, ...]:
        """The signals, in order."""
        return self.about.signals

    @property
    def features(self) -> tuple[FeatureInfo, ...]:
        """The features, in order."""
        return self.about.features

    @property
    def split(self) -> Split:
        """The chromosomes held out for validation and test."""
        return self.about.split

    @cached_property
    def hash(self) -> str:
        """The sha256 of ``dataset.json``, which contains the checksums of all other files."""
        return digest(self.path / "dataset.json").sha256

    @cached_property
    def sequence(self) -> NDArray[np.uint8]:
        """Base codes, uint8 (gene, length), memory-mapped."""
        return open_array(self.path / "sequence.npy", (len(self), self.window), "uint8")

    def signal_values(self, cell_type: str) -> NDArray[np.floating[Any]]:
        """Return the raw signals of a cell type, float16 or float32 (gene, length, signal), memory-mapped."""
        self._check_cell_type(cell_type)
        shape = (len(self), self.window, len(self.signals))
        return open_array(self.path / _signal_file(cell_type), shape, self.about.dtype)

    @cached_property
    def regions(self) -> Regions:
        """Peaks, blacklist and elements, if the dataset has them."""
        return Regions(self.path, self.about.regions, len(self), self.window)

    def expression(self, cell_type: str) -> NDArray[np.float32]:
        """Return log10(1 + x) of a cell type, float32 (gene,); NaN where a gene has no label."""
        self._check_cell_type(cell_type)
        return self.genes[f"expression:{cell_type}"].to_numpy(np.float32)

    def feature_values(self, cell_type: str) -> NDArray[np.float64]:
        """Return the raw features of a cell type, float64 (gene, feature); NaN where a gene has no value."""
        self._check_cell_type(cell_type)
        values = np.empty((len(self), len(self.features)), np.float64)
        for column, feature in enumerate(self.features):
            name = f"{feature.name}:{cell_type}" if feature.per_cell_type else feature.name
            values[:, column] = self.genes[name].to_numpy(np.float64)
        return values

    def verify(self) -> None:
        """Compare every file with its checksum.

        Raises
        ------
        DatasetError
            A file has changed since the build.
        """
        for name, expected in self.about.files.items():
            _check_sum(self.path, name, expected)

    def _check_cell_type(self, cell_type: str) -> None:
        if cell_type not in self.cell_types:
            choice = did_you_mean(cell_type, self.cell_types)
            raise DatasetError(f"{self.path} has no cell type {cell_type!r}.{choice}")


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset folder.

    This checks that all files exist and have the right size and shape, and the checksum of ``genes.parquet``. To check
    the arrays too, use :meth:`Dataset.verify` (`epigx info --verify`).

    Raises
    ------
    DatasetError
        The folder does not exist, is incomplete or damaged, or has another version of the format.
    """
    path = Path(path)
    if not (path / "dataset.json").is_file():
        raise DatasetError(f"{path} is not a dataset: it has no dataset.json. Make one with `epigx build`.")
    about = _read_description(path / "dataset.json")
    for name, expected in about.files.items():
        size = (path / name).stat().st_size if (path / name).is_file() else None
        if size != expected.size:
            found = "missing" if size is None else f"{size:,} bytes long instead of {expected.size:,}"
            raise DatasetError(f"{path / name} is {found}. {REPAIR}")
    if "genes.parquet" in about.files:
        _check_sum(path, "genes.parquet", about.files["genes.parquet"])
    try:
        genes = pd.read_parquet(path / "genes.parquet")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path / 'genes.parquet'} cannot be read: {error}. {REPAIR}") from None
    dataset = Dataset(path, about, genes)
    _check_shapes(dataset)
    return dataset


def digest(path: Path) -> FileInfo:
    """Return the size and the sha256 of a file."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileInfo(size=file.tell(), sha256=sha256)


def _check_sum(folder: Path, name: str, expected: FileInfo) -> None:
    if digest(folder / name) != expected:
        raise DatasetError(f"{folder / name} is damaged: its checksum differs from the one in dataset.json. {REPAIR}")


def _read_description(path: Path) -> Description:
    try:
        values = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise DatasetError(f"{path} cannot be read: {error}. {REPAIR}") from None
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise DatasetError(
            f"{path} has format {version}, but this epigx reads format {FORMAT_VERSION}. Build the dataset again."
        )
    try:
        return Description.parse(values)
    except ConfigError as error:
        raise DatasetError(f"{path} is damaged: {error} {REPAIR}") from None


def _check_shapes(dataset: Dataset) -> None:
    """Open every array and find every column of ``genes.parquet``."""
    _ = dataset.sequence
    dataset.regions.check()
    if len(dataset.genes) != len(dataset):
        raise DatasetError(
            f"{dataset.path / 'genes.parquet'} has {len(dataset.genes):,} genes instead of {len(dataset):,}. {REPAIR}"
        )
    for cell_type in dataset.cell_types:
        dataset.signal_values(cell_type)
        try:
            dataset.expression(cell_type), dataset.feature_values(cell_type)
        except KeyError as error:
            raise DatasetError(f"{dataset.path / 'genes.parquet'} has no column {error}. {REPAIR}") from None


def _signal_file(cell_type: str) -> str:
    return f"signals/{cell_type}.npy"
