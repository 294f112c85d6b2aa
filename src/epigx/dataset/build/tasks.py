"""The independent tasks of a build: each fills its own rows of the arrays and reports numbers for ``genes.parquet``.

Memory is bounded by :data:`~epigx.dataset.window_grid.MAX_BASES` per signal and process, whatever the window length.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.build.region_tasks import BlacklistTask, PeakTask
from epigx.dataset.manifest.sources import Expression
from epigx.dataset.npy import write_rows
from epigx.dataset.store import digest
from epigx.dataset.window_grid import WindowGrid
from epigx.errors import InputError
from epigx.genome.expression import cage_label
from epigx.genome.sequence import N, reverse_complement
from epigx.genome.tracks.tracks import Track
from epigx.genome.transcripts import promoter_activity

__all__ = ["DigestTask", "SequenceTask", "SignalTask", "Task"]

Report = dict[str, Any]
"""A task's result: values by column of ``genes.parquet``, one per gene; or the size and checksum of a file."""


@dataclass(frozen=True)
class SequenceTask:
    """Fill the base codes of one chromosome's genes; report the share of known bases in each window."""

    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"sequence-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return the report."""
        coverage: list[float] = []
        for rows, grid in WindowGrid.of(self.genes, window, readers.manifest.orient).chunks():
            codes = grid.orient(readers.genome.windows(self.chrom, grid.starts, window), reverse_complement)
            write_rows(folder / "sequence.npy", self.first + int(rows[0]), codes)
            coverage += (codes != N).mean(axis=1).tolist()
        return {"dna_coverage": coverage}


@dataclass(frozen=True)
class SignalTask:
    """Fill the signals of one cell type on one chromosome; report CAGE labels and promoter activity."""

    cell_type: str
    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """File name of the report, unique in a build."""
        return f"signals-{self.cell_type}-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Fill the rows in ``folder`` and return the report."""
        for rows, grid in WindowGrid.of(self.genes, window, readers.manifest.orient).chunks():
            values = self._signals(readers, grid)
            write_rows(folder / "signals" / f"{self.cell_type}.npy", self.first + int(rows[0]), values)
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
