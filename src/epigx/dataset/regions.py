"""Optional inputs of a dataset, for models that use them: masks of peaks and blacklist, and elements."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from epigx.config import Config
from epigx.dataset.npy import open_array
from epigx.errors import DatasetError

if TYPE_CHECKING:
    from epigx.batch import Need  # only for annotations: a build needs no torch

__all__ = [
    "BLACKLIST",
    "ElementInfo",
    "RegionInfo",
    "Regions",
    "element_files",
    "n_bytes",
    "pack",
    "peak_file",
    "unpack",
]

BLACKLIST = "blacklist.npy"
"""File name of the blacklist, which all cell types share."""

_REMEDIES: dict[Need, str] = {
    "peaks": "Add `peaks:` to the cell type in the manifest: a narrowPeak or BED file, or a signal for peak calling",
    "blacklist": "Set model.blacklist to false; or add `blacklist:` to the manifest, a BED file",
    "elements": "Put `elements: {}` in the manifest, and `peaks:` for every cell type",
}


class ElementInfo(Config):
    """How the elements of a dataset were chosen."""

    count: int
    """Largest number of elements per gene, without the promoter."""
    reach: int
    """Largest distance from the TSS, in bp."""
    length: int
    """Stored length of each element and of the promoter, in bp."""


class RegionInfo(Config):
    """The regions that a dataset has; by default none."""

    peaks: tuple[str, ...] = ()
    """Cell types that have peaks."""
    blacklist: bool = False
    """Whether the dataset has a blacklist."""
    elements: ElementInfo | None = None
    """The elements, of every cell type with peaks."""


class Regions:
    """Reads the regions that a dataset has; arrays are memory-mapped."""

    def __init__(self, folder: Path, info: RegionInfo, n_genes: int, window: int) -> None:
        self.folder, self.info = folder, info
        self._n_genes, self._window = n_genes, window

    def require(self, needs: Collection[Need], cell_types: Collection[str]) -> None:
        """Raise ``DatasetError`` if a dataset lacks regions that a model needs."""
        for need in sorted(needs):
            lacking = [cell_type for cell_type in cell_types if not self._holds(need, cell_type)]
            if lacking:
                whose = "" if need == "blacklist" else f" for {', '.join(lacking)}"
                raise DatasetError(
                    f"{self.folder} has no {need}{whose}, which the model reads. {_REMEDIES[need]}, and build again."
                )

    def peaks(self, cell_type: str, rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
        """Return whether each base lies in a peak, for a crop of some windows, bool (row, crop)."""
        return unpack(self._bits(peak_file(cell_type)), rows, crop)

    def blacklist(self, rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
        """Return whether each base is blacklisted, for a crop of some windows, bool (row, crop)."""
        return unpack(self._bits(BLACKLIST), rows, crop)

    def elements(self, cell_type: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return the elements of some genes, the promoter first.

        Returns
        -------
        codes : ndarray of uint8, (row, 1 + count, length)
            Bases; N around an element and in unused rows.
        features : ndarray of float32, (row, 1 + count, 3)
            Distance in kb, log10(1 + contact) and activity; zeros for the promoter and in unused rows.
        """
        codes, stored = self._element_arrays(cell_type)
        distance, contact, activity = np.moveaxis(stored[rows], -1, 0)
        features = np.zeros((len(rows), codes.shape[1], 3), np.float32)
        features[:, 1:] = np.stack([distance / 1_000, np.log10(1 + contact), activity], axis=-1)
        return codes[rows], features

    def check(self) -> None:
        """Open every array; one that is damaged or has another shape is a ``DatasetError``."""
        for cell_type in self.info.peaks:
            self._bits(peak_file(cell_type))
        if self.info.blacklist:
            self._bits(BLACKLIST)
        for cell_type in self.info.peaks if self.info.elements else ():
            self._element_arrays(cell_type)

    def _holds(self, need: Need, cell_type: str) -> bool:
        match need:
            case "peaks":
                return cell_type in self.info.peaks
            case "blacklist":
                return self.info.blacklist
            case "elements":
                return self.info.elements is not None and cell_type in self.info.peaks

    def _bits(self, name: str) -> NDArray[np.uint8]:
        return open_array(self.folder / name, (self._n_genes, n_bytes(self._window)), "uint8")

    def _element_arrays(self, cell_type: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        assert self.info.elements is not None
        n, count, length = self._n_genes, self.info.elements.count, self.info.elements.length
        codes, features = (self.folder / name for name in element_files(cell_type))
        return open_array(codes, (n, 1 + count, length), "uint8"), open_array(features, (n, count, 3), "float32")


def element_files(cell_type: str) -> tuple[str, str]:
    """Return the paths of a cell type's elements in a dataset: their bases and their features."""
    return f"elements/{cell_type}.sequence.npy", f"elements/{cell_type}.features.npy"


def peak_file(cell_type: str) -> str:
    """Return the path of a cell type's peaks in a dataset."""
    return f"peaks/{cell_type}.npy"


def n_bytes(length: int) -> int:
    """Return the number of bytes of a mask of ``length`` bases."""
    return -(-length // 8)


def pack(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack masks, bool (gene, length) to uint8 (gene, bytes)."""
    return np.packbits(mask, axis=1, bitorder="little")


def unpack(bits: NDArray[np.uint8], rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
    """Unpack a crop of some masks, bool (row, crop), reading only the bytes of the crop.

    Examples
    --------
    >>> bits = pack(np.arange(20)[None] == 9)
    >>> unpack(bits, np.array([0]), slice(8, 12))
    array([[False,  True, False, False]])
    """
    first = crop.start // 8
    bases = np.unpackbits(bits[rows, first : n_bytes(crop.stop)], axis=1, bitorder="little")
    return bases[:, crop.start - 8 * first : crop.stop - 8 * first].astype(np.bool_)
