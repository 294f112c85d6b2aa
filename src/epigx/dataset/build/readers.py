"""The raw files of a manifest, each opened once a process and read as windows without gaps."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.manifest.sources import ContactKind, SignalFile, TrackKind
from epigx.genome.chromosomes import match_chromosome
from epigx.genome.contacts.contacts import Contacts, open_contacts
from epigx.genome.peaks.macs3 import call_peaks_with_macs3
from epigx.genome.peaks.peak_calling import PeakRule, call_peaks
from epigx.genome.peaks.peaks import no_peaks, on_chromosome, read_peaks
from epigx.genome.sequence import Genome
from epigx.genome.tracks.tracks import Track, open_track

__all__ = ["Readers", "holds"]


class Readers:
    """Opens the files of a manifest when they are first read, and keeps them open.

    Parameters
    ----------
    manifest : Manifest
        Where the files are.
    window : int, bp
        The longest window that will be asked for.
    """

    def __init__(self, manifest: Manifest, window: int) -> None:
        self.manifest = manifest
        self.window = window
        self._tracks: dict[tuple[str, TrackKind], Track] = {}
        self._contacts: dict[SignalFile, Contacts] = {}
        self._peaks: dict[str, pd.DataFrame] = {}

    @cached_property
    def genome(self) -> Genome:
        """The reference genome."""
        return Genome(self.manifest.locate(self.manifest.genome))

    def track(self, file: str, kind: TrackKind) -> Track:
        """Open a track along the genome."""
        if (file, kind) not in self._tracks:
            self._tracks[file, kind] = open_track(self.manifest.locate(file), kind)
        return self._tracks[file, kind]

    def signal(self, spec: SignalFile) -> Track | Contacts:
        """Open a signal, a track or contacts; contacts are read as far as windows and elements reach."""
        if not spec.is_contact:
            return self.track(str(spec.file), cast(TrackKind, spec.kind))
        if spec not in self._contacts:
            path = self.manifest.locate(spec.file) if spec.file else None
            kind = cast(ContactKind, spec.kind)
            elements = self.manifest.elements
            band = max(self.window // 2, elements.reach if elements else 0)
            self._contacts[spec] = open_contacts(path, kind, band=band, **spec.options())
        return self._contacts[spec]

    def values(
        self, spec: SignalFile, chrom: str, tss: NDArray[np.int64], starts: NDArray[np.int64], length: int
    ) -> NDArray[np.float32]:
        """Return a signal's raw values, float32 (gene, length), 0 where the file has none."""
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
        """Return all the peaks of a file, as :func:`~epigx.genome.peaks.peaks.read_peaks` gives them."""
        if file not in self._peaks:
            self._peaks[file] = read_peaks(self.manifest.locate(file))
        return self._peaks[file]

    def peaks(self, cell_type: str, chrom: str) -> pd.DataFrame:
        """Return the peaks of one chromosome, read or called, for a cell type that has peaks."""
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
        """Return the blacklisted regions of one chromosome, for a manifest that has some."""
        assert self.manifest.blacklist is not None
        return on_chromosome(self.peak_file(self.manifest.blacklist), chrom)


def holds(signal: Track | Contacts, chrom: str) -> bool:
    """Tell whether a file knows a chromosome, by any of its names; the power law knows all."""
    return signal.chromosomes is None or match_chromosome(chrom, signal.chromosomes) is not None
