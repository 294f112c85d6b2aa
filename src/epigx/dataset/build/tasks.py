"""The work of a build, cut into pieces that know nothing of each other: each fills its own rows, and reports scalars.

Memory is bounded by :data:`~.blocks.BLOCK_BYTES` for each signal and process, however long the windows are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.gene_blocks import blocks, places
from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.build.region_tasks import BlacklistTask, PeakTask
from epigx.dataset.manifest.sources import Expression
from epigx.dataset.npy import write_rows
from epigx.dataset.store import digest
from epigx.dataset.window_grid import turned, window_starts
from epigx.errors import InputError
from epigx.genome.expression import cage_label
from epigx.genome.sequence import N, reverse_complement
from epigx.genome.tracks.tracks import Track
from epigx.genome.transcripts import promoter_activity

__all__ = ["DigestTask", "SequenceTask", "SignalTask", "Task"]

Report = dict[str, Any]
"""What a task reports: for each column of ``genes.parquet`` the values of its genes, or a file's checksum."""


@dataclass(frozen=True)
class SequenceTask:
    """Fill the base codes of one chromosome's genes, and report how much of each window the genome knows."""

    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """A file name that no other task of the build has."""
        return f"sequence-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Do it."""
        coverage: list[float] = []
        for rows, block in blocks(self.genes, window):
            tss, strand = places(block)
            orient = readers.manifest.orient
            codes = readers.genome.windows(self.chrom, window_starts(tss, strand, window, orient), window)
            minus = turned(strand, orient)
            codes[minus] = reverse_complement(codes[minus])
            write_rows(folder / "sequence.npy", self.first + rows, codes)
            coverage += (codes != N).mean(axis=1).tolist()
        return {"dna_coverage": coverage}


@dataclass(frozen=True)
class SignalTask:
    """Fill the signals of one cell type on one chromosome, and report what else its tracks say of the genes."""

    cell_type: str
    chrom: str
    first: int
    genes: pd.DataFrame

    @property
    def name(self) -> str:
        """A file name that no other task of the build has."""
        return f"signals-{self.cell_type}-{self.first}"

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Do it."""
        for rows, block in blocks(self.genes, window):
            values = self._signals(readers, block, window)
            write_rows(folder / "signals" / f"{self.cell_type}.npy", self.first + rows, values)
        report: Report = {}
        cell = readers.manifest.cell_types[self.cell_type]
        if cell.expression is not None and cell.expression.plus is not None:
            report[f"expression:{self.cell_type}"] = self._cage(readers, cell.expression).tolist()
        if readers.manifest.features and readers.manifest.features.promoter_activity:
            report[f"promoter_activity:{self.cell_type}"] = self._promoter_activity(readers).tolist()
        return report

    def _signals(self, readers: Readers, block: pd.DataFrame, window: int) -> NDArray[np.floating[Any]]:
        manifest = readers.manifest
        tss, strand = places(block)
        starts, minus = window_starts(tss, strand, window, manifest.orient), turned(strand, manifest.orient)
        out = np.empty((len(block), window, len(manifest.signals)), manifest.dtype)
        for channel, signal in enumerate(manifest.signals):
            spec = manifest.cell_types[self.cell_type].signals[signal]
            values = readers.values(spec, self.chrom, tss, starts, window)
            values[minus] = values[minus, ::-1]
            with np.errstate(over="ignore"):
                out[..., channel] = values
            if not np.isfinite(out[..., channel]).all():
                raise InputError(
                    f"{spec.file or signal} reaches {np.abs(values).max():g} on {self.chrom} in {self.cell_type}, "
                    f"which {manifest.dtype} cannot hold. Set `dtype: float32` in the manifest, or mend the file."
                )
        return out

    def _cage(self, readers: Readers, label: Expression) -> NDArray[np.float32]:
        assert label.plus is not None
        tracks = [readers.track(file, "bigwig") for file in (label.plus, label.minus) if file is not None]
        if not all(holds(track, self.chrom) for track in tracks):
            return np.full(len(self.genes), np.nan, np.float32)
        return cage_label(tracks[0], tracks[1] if len(tracks) > 1 else None, self.genes, label.width)

    def _promoter_activity(self, readers: Readers) -> NDArray[np.float32]:
        features, cell = readers.manifest.features, readers.manifest.cell_types[self.cell_type]
        assert features is not None
        assert features.promoter_activity is not None
        names = (features.promoter_activity.h3k27ac, features.promoter_activity.accessibility)
        h3k27ac, accessibility = (cast(Track, readers.signal(cell.signals[name])) for name in names)
        if not (holds(h3k27ac, self.chrom) and holds(accessibility, self.chrom)):
            return np.zeros(len(self.genes), np.float32)
        return promoter_activity(h3k27ac, accessibility, self.chrom, places(self.genes)[0])


@dataclass(frozen=True)
class DigestTask:
    """Read a file through for its checksum."""

    file: Path
    name: str

    def run(self, readers: Readers, window: int, folder: Path) -> Report:
        """Do it."""
        return digest(self.file).model_dump()


Task = SequenceTask | SignalTask | PeakTask | BlacklistTask | DigestTask
