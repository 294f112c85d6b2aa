"""The tasks of a build that fill peaks, blacklist and elements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset import window_grid
from epigx.dataset.bitmask import pack
from epigx.dataset.build.elements import Elements
from epigx.dataset.build.readers import Readers
from epigx.dataset.npy import write_rows
from epigx.dataset.regions import BLACKLIST, element_files, peak_file
from epigx.dataset.window_grid import WindowGrid
from epigx.genome.peaks.peaks import Peaks

__all__ = ["BlacklistTask", "PeakTask"]


@dataclass(frozen=True)
class PeakTask:
    """Fill the peaks of one cell type on one chromosome, and the elements if the manifest asks for them."""

    cell_type: str
    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"peaks-{self.cell_type}-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> dict[str, Any]:
        """Fill the rows in ``folder`` and return an empty report."""
        peaks = readers.peaks(self.cell_type, self.chrom)
        _fill(folder / peak_file(self.cell_type), self, Peaks(peaks), readers, window)
        if (source := readers.manifest.elements) is not None:
            elements = Elements(readers, source, self.cell_type, self.chrom, peaks)
            promoters = WindowGrid.of(self.genes, source.length, readers.manifest.orient)
            for rows, grid in promoters.chunks(window_grid.MAX_BASES // (1 + source.count)):
                of_codes, of_features = element_files(self.cell_type)
                filled = elements.of(grid)
                write_rows(folder / of_codes, self.first + int(rows[0]), filled.codes)
                write_rows(folder / of_features, self.first + int(rows[0]), filled.features)
        return {}


@dataclass(frozen=True)
class BlacklistTask:
    """Fill the blacklist of one chromosome."""

    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"blacklist-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> dict[str, Any]:
        """Fill the rows in ``folder`` and return an empty report."""
        _fill(folder / BLACKLIST, self, Peaks(readers.blacklist(self.chrom)), readers, window)
        return {}


def _fill(path: Path, task: PeakTask | BlacklistTask, regions: Peaks, readers: Readers, window: int) -> None:
    """Write the masks of a task's windows."""
    for rows, grid in WindowGrid.of(task.genes, window, readers.manifest.orient).chunks():
        mask = grid.orient(regions.mask(task.chrom, grid.starts, window))
        write_rows(path, task.first + int(rows[0]), pack(mask))
