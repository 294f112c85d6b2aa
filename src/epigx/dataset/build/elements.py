"""The elements of one chromosome's genes: their bases, and distance, contact and activity of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.manifest.sources import ElementSource, SignalFile
from epigx.dataset.window_grid import WindowGrid
from epigx.genome.peaks.elements import Candidates, activity, candidates
from epigx.genome.sequence import N, reverse_complement
from epigx.genome.tracks.tracks import Track

__all__ = ["ElementRows", "Elements"]


class ElementRows(NamedTuple):
    """The stored arrays of some genes' elements.

    Attributes
    ----------
    codes : ndarray of uint8, (gene, 1 + count, length)
        Bases of the promoter and of each element; N around an element and in unused rows.
    features : ndarray of float32, (gene, count, 3)
        Distance (bp), contact and activity of each element; 0 in unused rows.
    """

    codes: NDArray[np.uint8]
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Elements:
    """The elements of one cell type on one chromosome, made from its peaks."""

    readers: Readers
    source: ElementSource
    cell_type: str
    chrom: str
    peaks: pd.DataFrame

    def of(self, promoters: WindowGrid) -> ElementRows:
        """Return the elements of some genes of the chromosome, given their promoters' windows."""
        chosen = np.full((len(promoters), self.source.count), -1)
        for row, tss in enumerate(promoters.tss.tolist()):
            near = self._found.nearest(
                tss, count=self.source.count, reach=self.source.reach, promoter=self.source.length // 2
            )
            chosen[row, : len(near)] = near
        return ElementRows(self._codes(chosen, promoters), self._features(chosen, promoters.tss))

    @cached_property
    def _found(self) -> Candidates:
        return candidates(self.peaks, self.readers.genome.length_of(self.chrom), self.source.length)

    @cached_property
    def _activity(self) -> NDArray[np.float64]:
        signals = self.readers.manifest.cell_types[self.cell_type].signals
        names = (self.source.h3k27ac, self.source.accessibility)
        tracks = [cast(Track, self.readers.signal(signals[name])) for name in names]
        if not all(holds(track, self.chrom) for track in tracks):
            return np.zeros(len(self._found.starts))
        return activity(tracks[0], tracks[1], self.chrom, self._found, self.source.length)

    def _codes(self, chosen: NDArray[np.int64], promoters: WindowGrid) -> NDArray[np.uint8]:
        genome, length = self.readers.genome, self.source.length
        used = chosen >= 0
        element = chosen[used]
        starts = self._found.centers[element] - length // 2
        bases = genome.windows(self.chrom, starts, length)
        base = starts[:, None] + np.arange(length)
        bases[(base < self._found.starts[element, None]) | (base >= self._found.ends[element, None])] = N
        codes = np.full((len(promoters), 1 + self.source.count, length), N, np.uint8)
        codes[:, 1:][used] = bases
        codes[:, 0] = genome.windows(self.chrom, promoters.starts, length)
        return promoters.orient(codes, reverse_complement)

    def _features(self, chosen: NDArray[np.int64], tss: NDArray[np.int64]) -> NDArray[np.float32]:
        features = np.zeros((*chosen.shape, 3), np.float32)
        used = chosen >= 0
        element, of_tss = chosen[used], np.repeat(tss, used.sum(axis=1))
        centers = self._found.centers[element]
        signals = self.readers.manifest.cell_types[self.cell_type].signals
        spec = SignalFile(kind="powerlaw") if self.source.contact is None else signals[self.source.contact]
        contact = self.readers.values(spec, self.chrom, of_tss, centers, 1)[:, 0]
        features[used] = np.stack([np.abs(centers - of_tss), contact, self._activity[element]], axis=1)
        return features
