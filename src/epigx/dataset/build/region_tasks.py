"""The part of a build that fills peaks, blacklist and elements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset.bitmask import pack
from epigx.dataset.build.elements import Elements
from epigx.dataset.build.gene_blocks import blocks, places
from epigx.dataset.build.readers import Readers
from epigx.dataset.npy import write_rows
from epigx.dataset.regions import BLACKLIST, element_files, peak_file
from epigx.dataset.window_grid import turned, window_starts
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
        """A file name that no other task of the build has."""
        return f"peaks-{self.cell_type}-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> dict[str, Any]:
        """Do it."""
        peaks = readers.peaks(self.cell_type, self.chrom)
        _fill(folder / peak_file(self.cell_type), self, Peaks(peaks), readers, window)
        if (source := readers.manifest.elements) is not None:
            elements = Elements(readers, source, self.cell_type, self.chrom, peaks)
            for rows, block in blocks(self.genes, source.length * (1 + source.count)):
                of_codes, of_features = element_files(self.cell_type)
                filled = elements.of(block)
                write_rows(folder / of_codes, self.first + rows, filled.codes)
                write_rows(folder / of_features, self.first + rows, filled.features)
        return {}


@dataclass(frozen=True)
class BlacklistTask:
    """Fill the blacklist of one chromosome."""

    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """A file name that no other task of the build has."""
        return f"blacklist-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> dict[str, Any]:
        """Do it."""
        _fill(folder / BLACKLIST, self, Peaks(readers.blacklist(self.chrom)), readers, window)
        return {}


def _fill(path: Path, task: PeakTask | BlacklistTask, regions: Peaks, readers: Readers, window: int) -> None:
    orient = readers.manifest.orient
    for rows, block in blocks(task.genes, window):
        tss, strand = places(block)
        mask = regions.mask(task.chrom, window_starts(tss, strand, window, orient), window)
        minus = turned(strand, orient)
        mask[minus] = mask[minus, ::-1]
        write_rows(path, task.first + rows, pack(mask))
