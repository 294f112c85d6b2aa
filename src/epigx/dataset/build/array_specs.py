"""Names, shapes and types of a dataset's arrays."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from epigx.dataset.bitmask import n_bytes
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.regions import BLACKLIST, ElementInfo, RegionInfo, element_files, peak_file

__all__ = ["Array", "arrays_of", "region_info"]


class Array(NamedTuple):
    """Shape and type of an array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def n_bytes(self) -> int:
        """Size on disk without the header, in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def arrays_of(manifest: Manifest, window: int, n_genes: int) -> dict[str, Array]:
    """Return the arrays of a dataset by their paths in its folder."""
    arrays = {"sequence.npy": Array((n_genes, window), "uint8")}
    for cell_type in manifest.cell_types:
        arrays[f"signals/{cell_type}.npy"] = Array((n_genes, window, len(manifest.signals)), manifest.dtype)
    info = region_info(manifest)
    mask = Array((n_genes, n_bytes(window)), "uint8")
    arrays |= {peak_file(cell_type): mask for cell_type in info.peaks}
    arrays |= {BLACKLIST: mask} if info.blacklist else {}
    for cell_type in info.peaks if info.elements else ():
        assert info.elements is not None
        codes, features = element_files(cell_type)
        arrays[codes] = Array((n_genes, 1 + info.elements.count, info.elements.length), "uint8")
        arrays[features] = Array((n_genes, info.elements.count, 3), "float32")
    return arrays


def region_info(manifest: Manifest) -> RegionInfo:
    """Return the regions of a manifest's dataset."""
    source = manifest.elements
    return RegionInfo(
        peaks=tuple(cell_type for cell_type, cell in manifest.cell_types.items() if cell.peaks is not None),
        blacklist=manifest.blacklist is not None,
        elements=ElementInfo(count=source.count, reach=source.reach, length=source.length) if source else None,
    )
