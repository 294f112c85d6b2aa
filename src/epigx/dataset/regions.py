"""What a dataset holds for the models that ask for it: masks of peaks and blacklist, and elements."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from epigx.config import Config
from epigx.dataset.arrays import open_array
from epigx.dataset.bits import n_bytes, unpack
from epigx.errors import DatasetError

if TYPE_CHECKING:
    from epigx.batch import Need  # for its name alone: a build needs no torch

__all__ = ["BLACKLIST", "ElementInfo", "RegionInfo", "Regions", "peak_file"]

BLACKLIST = "blacklist.npy"
"""The blacklist's array in a dataset's folder; it is the same in all cell types."""

_REMEDIES: dict[Need, str] = {
    "peaks": "Give the cell type `peaks:` in the manifest, a narrowPeak or BED file or a signal to call them on",
    "blacklist": "Give `blacklist:` in the manifest, a BED file",
    "elements": "Put `elements: {}` in the manifest, and `peaks:` for every cell type",
}


class ElementInfo(Config):
    """How a dataset's elements were chosen."""

    count: int
    """Most elements of a gene, the promoter not counted."""
    reach: int
    """Largest distance from the TSS, in bp."""
    length: int
    """bp stored of each element and of the promoter."""


class RegionInfo(Config):
    """Which regions a dataset holds; one that was built without any has none."""

    peaks: tuple[str, ...] = ()
    """Cell types that have peaks."""
    blacklist: bool = False
    """Whether there is a blacklist."""
    elements: ElementInfo | None = None
    """The elements, of every cell type."""


class Regions:
    """Reads the regions of a dataset; arrays are memory-mapped.

    Parameters
    ----------
    folder : Path
        The dataset.
    info : RegionInfo
        What it holds.
    n_genes : int
        Genes.
    window : int, bp
        Window length.
    """

    def __init__(self, folder: Path, info: RegionInfo, n_genes: int, window: int) -> None:
        self.folder, self.info = folder, info
        self._n_genes, self._window = n_genes, window

    def require(self, needs: Collection[Need], cell_types: Collection[str]) -> None:
        """Make sure that a dataset holds what a model reads.

        Raises
        ------
        DatasetError
            Something is absent.
        """
        for need in sorted(needs):
            lacking = [cell_type for cell_type in cell_types if not self._holds(need, cell_type)]
            if lacking:
                whose = "" if need == "blacklist" else f" for {', '.join(lacking)}"
                raise DatasetError(
                    f"{self.folder} has no {need}{whose}, which the model reads. {_REMEDIES[need]}, and build again."
                )

    def peaks(self, cell_type: str, rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
        """Return whether each base of a part of some windows lies in a peak, bool (row, crop)."""
        return unpack(self._bits(peak_file(cell_type)), rows, crop)

    def blacklist(self, rows: NDArray[np.int64], crop: slice) -> NDArray[np.bool_]:
        """Return whether each base of a part of some windows is blacklisted, bool (row, crop)."""
        return unpack(self._bits(BLACKLIST), rows, crop)

    def check(self) -> None:
        """Open every array once.

        Raises
        ------
        DatasetError
            One is damaged or of another shape.
        """
        for cell_type in self.info.peaks:
            self._bits(peak_file(cell_type))
        if self.info.blacklist:
            self._bits(BLACKLIST)

    def _holds(self, need: Need, cell_type: str) -> bool:
        match need:
            case "peaks":
                return cell_type in self.info.peaks
            case "blacklist":
                return self.info.blacklist
            case "elements":
                return self.info.elements is not None

    def _bits(self, name: str) -> NDArray[np.uint8]:
        return open_array(self.folder / name, (self._n_genes, n_bytes(self._window)), "uint8")


def peak_file(cell_type: str) -> str:
    """Return the path of a cell type's peaks in a dataset's folder."""
    return f"peaks/{cell_type}.npy"
