"""The dataset on disk: a folder of plain arrays, one table and one JSON file, read without copying.

========================== =========================================================================================
``dataset.json``           what the arrays mean, where they come from, and the size and sha256 of every other file
``sequence.npy``           uint8 (gene, length): codes A 0, C 1, G 2, T 3, N or past the chromosome's end 4
``signals/<cell type>.npy`` float16 or float32 (gene, length, signal): raw values, 0 where the files have none
``peaks/<cell type>.npy``  uint8 (gene, length / 8), where there are peaks: a bit a base, the lowest first
``blacklist.npy``          the same of the assembly's blacklist, where there is one
``elements/<cell type>.…`` where there are elements: ``sequence.npy``, uint8 (gene, 1 + count, length), the promoter's
                           codes first; ``features.npy``, float32 (gene, count, 3): distance (bp), contact, activity
``genes.parquet``          one row a gene: gene_id, symbol, chrom, tss, strand, dna_coverage, the features, the labels
========================== =========================================================================================

In ``genes.parquet`` a label is the column ``expression:<cell type>``, a feature of all cell types its own name, and one
that differs between them ``<feature>:<cell type>``. Features are raw too.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.config import Config
from epigx.dataset.manifest.sources import FeatureTransform
from epigx.dataset.manifest.split import Split
from epigx.dataset.npy import MEND, open_array
from epigx.dataset.regions import RegionInfo, Regions
from epigx.dataset.signals import SignalInfo
from epigx.errors import ConfigError, DatasetError, did_you_mean

__all__ = ["FORMAT_VERSION", "Dataset", "Description", "FeatureInfo", "FileInfo", "digest", "open_dataset"]

FORMAT_VERSION = 1
"""Raised whenever a folder written before could be read wrongly."""


class FeatureInfo(Config):
    """One feature of a dataset."""

    name: str
    """The name by which a run asks for it."""
    transform: FeatureTransform = "none"
    """How the training genes scale it, unless a run says otherwise."""
    per_cell_type: bool = False
    """Whether its values differ between cell types."""


class FileInfo(Config):
    """Size and checksum of a file."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal digest of the content."""


class Description(Config):
    """What ``dataset.json`` holds."""

    format_version: Literal[1] = 1
    """Version of the folder's layout."""
    epigx: str
    """The version of epigx that built it."""
    assembly: str
    """Name of the genome's assembly."""
    window: int
    """Window length in bp."""
    orient: Literal["genome", "strand"]
    """Whether windows follow the genome or the gene's strand."""
    n_genes: int
    """Number of genes, the first axis of every array."""
    dtype: Literal["float16", "float32"]
    """Type of the stored signals."""
    cell_types: tuple[str, ...]
    """Cell types in the manifest's order."""
    signals: tuple[SignalInfo, ...]
    """The channels, in order."""
    features: tuple[FeatureInfo, ...]
    """The features, in order."""
    split: Split
    """The chromosomes held out."""
    regions: RegionInfo = RegionInfo()
    """Masks and elements, for the models that ask for them."""
    sources: dict[str, FileInfo]
    """The files it was built from, by their paths in the manifest."""
    files: dict[str, FileInfo]
    """The folder's other files."""


@dataclass(frozen=True)
class Dataset:
    """Windows around genes, on disk and read-only.

    Arrays are memory-mapped: nothing is read before it is asked for. A pickled dataset is opened again where it is
    unpickled.

    Parameters
    ----------
    path : Path
        The folder.
    about : Description
        What its ``dataset.json`` says.
    genes : DataFrame
        One row a gene, in the order of the arrays; to be read, not changed.
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

    def __reduce__(self) -> tuple[Any, ...]:
        return open_dataset, (self.path,)

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
        """The channels, in order."""
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
        """The sha256 of ``dataset.json``, and through the checksums in it of all the dataset."""
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
        """Peaks, blacklist and elements, as far as the dataset holds them."""
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
            A file is not the one that was built.
        """
        for name, expected in self.about.files.items():
            _check_sum(self.path, name, expected)

    def _check_cell_type(self, cell_type: str) -> None:
        if cell_type not in self.cell_types:
            choice = did_you_mean(cell_type, self.cell_types)
            raise DatasetError(f"{self.path} has no cell type {cell_type!r}.{choice}")


def open_dataset(path: str | Path) -> Dataset:
    """Open a dataset folder.

    Presence, sizes and shapes of the files are checked at once, and the checksum of the table of genes, which holds
    the labels; :meth:`Dataset.verify` (`epigx info --verify`) reads the arrays through, too.

    Raises
    ------
    DatasetError
        The folder is absent, incomplete, damaged, or of another version of the format.
    """
    path = Path(path)
    if not (path / "dataset.json").is_file():
        raise DatasetError(f"{path} is not a dataset: it has no dataset.json. Make one with `epigx build`.")
    about = _read_description(path / "dataset.json")
    for name, expected in about.files.items():
        size = (path / name).stat().st_size if (path / name).is_file() else None
        if size != expected.size:
            found = "missing" if size is None else f"{size:,} bytes long instead of {expected.size:,}"
            raise DatasetError(f"{path / name} is {found}. {MEND}")
    if "genes.parquet" in about.files:
        _check_sum(path, "genes.parquet", about.files["genes.parquet"])
    try:
        genes = pd.read_parquet(path / "genes.parquet")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path / 'genes.parquet'} cannot be read: {error}. {MEND}") from None
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
        raise DatasetError(f"{folder / name} is damaged: its checksum is not the one in dataset.json. {MEND}")


def _read_description(path: Path) -> Description:
    try:
        values = json.loads(path.read_text())
    except (ValueError, OSError) as error:
        raise DatasetError(f"{path} cannot be read: {error}. {MEND}") from None
    version = values.get("format_version") if isinstance(values, dict) else None
    if version != FORMAT_VERSION:
        raise DatasetError(
            f"{path} is of format {version}, and this epigx reads format {FORMAT_VERSION}. Build the dataset again."
        )
    try:
        return Description.parse(values)
    except ConfigError as error:
        raise DatasetError(f"{path} is damaged: {error} {MEND}") from None


def _check_shapes(dataset: Dataset) -> None:
    """Open every array once and look up every column once."""
    _ = dataset.sequence
    dataset.regions.check()
    if len(dataset.genes) != len(dataset):
        raise DatasetError(
            f"{dataset.path / 'genes.parquet'} has {len(dataset.genes):,} genes instead of {len(dataset):,}. {MEND}"
        )
    for cell_type in dataset.cell_types:
        dataset.signal_values(cell_type)
        try:
            dataset.expression(cell_type), dataset.feature_values(cell_type)
        except KeyError as error:
            raise DatasetError(f"{dataset.path / 'genes.parquet'} has no column {error}. {MEND}") from None


def _signal_file(cell_type: str) -> str:
    return f"signals/{cell_type}.npy"
