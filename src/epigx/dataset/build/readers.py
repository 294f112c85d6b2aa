"""The raw files of a manifest. Each is opened once per process and read as windows without missing values."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.manifest.sources import SignalFile
from epigx.genome.chromosomes import match_chromosome
from epigx.genome.contacts.contacts import Contacts
from epigx.genome.peaks.peak_calling import PeakRule, call_peaks, call_peaks_with_macs3
from epigx.genome.peaks.peaks import no_peaks, on_chromosome, read_peaks
from epigx.genome.sequence import Genome
from epigx.genome.tracks.tracks import Track

__all__ = ["Readers", "holds"]


class Readers:
    """Opens the files of a manifest when they are first needed, and keeps them open.

    ``window`` is the length in bp of the longest window that will be read.
    """

    def __init__(self, manifest: Manifest, window: int) -> None:
        self.manifest = manifest
        self.window = window
        self._signals: dict[SignalFile, Track | Contacts] = {}
        self._peaks: dict[str, pd.DataFrame] = {}

    @cached_property
    def genome(self) -> Genome:
        """The reference genome."""
        return Genome(self.manifest.locate(self.manifest.genome))

    def track(self, file: str, kind: str) -> Track:
        """Open a genomic track of a given format."""
        return cast(Track, self.signal(SignalFile(file=file, kind=kind)))

    def signal(self, spec: SignalFile) -> Track | Contacts:
        """Open a signal. Contacts are read up to the largest distance that windows or elements need."""
        if spec not in self._signals:
            path = self.manifest.locate(spec.file) if spec.file else None
            options = spec.options()
            if spec.is_contact:
                elements = self.manifest.elements
                options["band"] = max(self.window // 2, elements.reach if elements else 0)
            self._signals[spec] = spec.format.open(path, **options)
        return self._signals[spec]

    def values(
        self, spec: SignalFile, chrom: str, tss: NDArray[np.int64], starts: NDArray[np.int64], length: int
    ) -> NDArray[np.float32]:
        """Return raw signal values, float32 (gene, length); bases without a value are 0."""
        signal = self.signal(spec)
        if not holds(signal, chrom):
            return np.zeros((len(tss), length), np.float32)
        if spec.is_contact:
            values = cast(Contacts, signal).profile(chrom, tss, starts, length)
        else:
            values = cast(Track, signal).windows(chrom, starts, length)
        values[np.isnan(values)] = 0
        return values

    def peak_file(self, file: str) -> pd.DataFrame:
        """Return all peaks of a file (see :func:`~epigx.genome.peaks.peaks.read_peaks`)."""
        if file not in self._peaks:
            self._peaks[file] = read_peaks(self.manifest.locate(file))
        return self._peaks[file]

    def peaks(self, cell_type: str, chrom: str) -> pd.DataFrame:
        """Return the peaks of one chromosome, from a file or called, for a cell type with ``peaks``."""
        cell = self.manifest.cell_types[cell_type]
        assert cell.peaks is not None
        if cell.peaks.file is not None:
            return on_chromosome(self.peak_file(cell.peaks.file), chrom)
        assert cell.peaks.signal is not None
        track = cast(Track, self.signal(cell.signals[cell.peaks.signal]))
        if not holds(track, chrom):
            return no_peaks()
        call = call_peaks_with_macs3 if cell.peaks.caller == "macs3" else call_peaks
        return call(track, chrom, self.genome.length_of(chrom), PeakRule(**cell.peaks.rule()))

    def blacklist(self, chrom: str) -> pd.DataFrame:
        """Return the blacklisted regions of one chromosome, for a manifest with ``blacklist``."""
        assert self.manifest.blacklist is not None
        return on_chromosome(self.peak_file(self.manifest.blacklist), chrom)


def holds(signal: Track | Contacts, chrom: str) -> bool:
    """Return whether a file has a chromosome, under any of its names; the power law has all of them."""
    return signal.chromosomes is None or match_chromosome(chrom, signal.chromosomes) is not None
