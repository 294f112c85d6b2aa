"""The independent tasks of a build: each fills its own rows of the arrays and reports numbers for ``genes.parquet``.

Memory is bounded by :data:`~epigx.dataset.window_grid.MAX_BASES` per signal and process, whatever the window length.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset import window_grid
from epigx.dataset.build.elements import Elements
from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.manifest.sources import Expression
from epigx.dataset.npy import write_rows
from epigx.dataset.regions import BLACKLIST, element_files, pack, peak_file
from epigx.dataset.store import digest
from epigx.dataset.window_grid import WindowGrid
from epigx.errors import InputError
from epigx.genome.expression import cage_label
from epigx.genome.peaks.elements import promoter_activity
from epigx.genome.peaks.peaks import Peaks
from epigx.genome.sequence import N, reverse_complement
from epigx.genome.tracks.tracks import Track

__all__ = ["BlacklistTask", "DigestTask", "PeakTask", "SequenceTask", "SignalTask", "Task"]

Report = dict[str, Any]
"""A task's result: values by column of ``genes.parquet``, one per gene; or the size and checksum of a file."""


@dataclass(frozen=True)
class _ChromosomeTask(ABC):
    """Fill the rows of one chromosome's genes, of which the first is row ``first``."""

    chrom: str
    first: int
    genes: pd.DataFrame
    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"{self.kind}-{self.first}"

    @abstractmethod
    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return the report."""

    def _chunks(self, readers: Readers, length: int, max_bases: int | None = None) -> Iterator[tuple[int, WindowGrid]]:
        """Yield some windows of the genes at a time, after the first one's row in the dataset."""
        for rows, grid in WindowGrid.of(self.genes, length, readers.manifest.orient).chunks(max_bases):
            yield self.first + int(rows[0]), grid

    def _fill_mask(self, path: Path, regions: pd.DataFrame, readers: Readers, window: int) -> None:
        peaks = Peaks(regions)
        for row, grid in self._chunks(readers, window):
            write_rows(path, row, pack(grid.orient(peaks.mask(self.chrom, grid.starts, window))))


@dataclass(frozen=True)
class _CellTypeTask(_ChromosomeTask):
    cell_type: str

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"{self.kind}-{self.cell_type}-{self.first}"


class SequenceTask(_ChromosomeTask):
    """Fill the base codes of one chromosome's genes; report the share of known bases in each window."""

    kind = "sequence"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return the report."""
        coverage: list[float] = []
        for row, grid in self._chunks(readers, window):
            codes = grid.orient(readers.genome.windows(self.chrom, grid.starts, window), reverse_complement)
            write_rows(folder / "sequence.npy", row, codes)
            coverage += (codes != N).mean(axis=1).tolist()
        return {"dna_coverage": coverage}


class BlacklistTask(_ChromosomeTask):
    """Fill the blacklist of one chromosome."""

    kind = "blacklist"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return an empty report."""
        self._fill_mask(folder / BLACKLIST, readers.blacklist(self.chrom), readers, window)
        return {}


class PeakTask(_CellTypeTask):
    """Fill the peaks of one cell type on one chromosome, and the elements if the manifest asks for them."""

    kind = "peaks"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return an empty report."""
        peaks = readers.peaks(self.cell_type, self.chrom)
        self._fill_mask(folder / peak_file(self.cell_type), peaks, readers, window)
        if (source := readers.manifest.elements) is not None:
            elements = Elements(readers, source, self.cell_type, self.chrom, peaks)
            of_codes, of_features = (folder / file for file in element_files(self.cell_type))
            for row, grid in self._chunks(readers, source.length, window_grid.MAX_BASES // (1 + source.count)):
                filled = elements.of(grid)
                write_rows(of_codes, row, filled.codes)
                write_rows(of_features, row, filled.features)
        return {}


class SignalTask(_CellTypeTask):
    """Fill the signals of one cell type on one chromosome; report CAGE labels and promoter activity."""

    kind = "signals"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return the report."""
        for row, grid in self._chunks(readers, window):
            write_rows(folder / "signals" / f"{self.cell_type}.npy", row, self._signals(readers, grid))
        report: Report = {}
        cell = readers.manifest.cell_types[self.cell_type]
        if cell.expression is not None and cell.expression.plus is not None:
            report[f"expression:{self.cell_type}"] = self._cage(readers, cell.expression).tolist()
        if readers.manifest.features and readers.manifest.features.promoter_activity:
            report[f"promoter_activity:{self.cell_type}"] = self._promoter_activity(readers).tolist()
        return report

    def _signals(self, readers: Readers, grid: WindowGrid) -> NDArray[np.floating[Any]]:
        """Read the raw signals of some windows, float16 or float32 (gene, length, signal)."""
        manifest = readers.manifest
        out = np.empty((len(grid), grid.length, len(manifest.signals)), manifest.dtype)
        for channel, signal in enumerate(manifest.signals):
            spec = manifest.cell_types[self.cell_type].signals[signal]
            values = grid.orient(readers.values(spec, self.chrom, grid.tss, grid.starts, grid.length))
            with np.errstate(over="ignore"):
                out[..., channel] = values
            if not np.isfinite(out[..., channel]).all():
                raise InputError(
                    f"{spec.file or signal} reaches {np.abs(values).max():g} on {self.chrom} in {self.cell_type}, "
                    f"too large for {manifest.dtype}. Set `dtype: float32` in the manifest, or correct the file."
                )
        return out

    def _cage(self, readers: Readers, label: Expression) -> NDArray[np.float32]:
        """Return the CAGE label of each gene, float32 (gene,); NaN if a track lacks the chromosome."""
        assert label.plus is not None
        tracks = [readers.track(file, "bigwig") for file in (label.plus, label.minus) if file is not None]
        if not all(holds(track, self.chrom) for track in tracks):
            return np.full(len(self.genes), np.nan, np.float32)
        return cage_label(tracks[0], tracks[1] if len(tracks) > 1 else None, self.genes, label.width)

    def _promoter_activity(self, readers: Readers) -> NDArray[np.float32]:
        """Return the promoter activity of each gene, float32 (gene,); 0 if a track lacks the chromosome."""
        features, cell = readers.manifest.features, readers.manifest.cell_types[self.cell_type]
        assert features is not None
        assert features.promoter_activity is not None
        names = (features.promoter_activity.h3k27ac, features.promoter_activity.accessibility)
        h3k27ac, accessibility = (cast(Track, readers.signal(cell.signals[name])) for name in names)
        if not (holds(h3k27ac, self.chrom) and holds(accessibility, self.chrom)):
            return np.zeros(len(self.genes), np.float32)
        return promoter_activity(h3k27ac, accessibility, self.chrom, self.genes["tss"].to_numpy(np.int64))


@dataclass(frozen=True)
class DigestTask:
    """Report the size and checksum of a file."""

    file: Path
    name: str

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Read the file and return the report."""
        return digest(self.file).model_dump()


Task = SequenceTask | SignalTask | PeakTask | BlacklistTask | DigestTask
