"""Signals along the genome: bigWig, bedGraph and narrowPeak files as windows of per-base values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from epigx.errors import InputError, did_you_mean
from epigx.genome.tracks.bigwig import BigWigTrack
from epigx.genome.tracks.interval_track import open_bedgraph, open_narrowpeak
from epigx.genome.tracks.track_summary import TrackSurvey

__all__ = ["Track", "TrackKind", "TrackSurvey", "open_track"]

TrackKind = Literal["bigwig", "bedgraph", "narrowpeak"]


@runtime_checkable
class Track(Protocol):
    """A signal along the genome.

    A track holds an open file or the file's intervals; it can be sent to another process, which opens it anew.

    Attributes
    ----------
    path : Path
        The file.
    chromosomes : dict of str to int or None
        The chromosomes by the file's names, with their length in bp (``None``: the format does not know it).
    """

    path: Path
    chromosomes: dict[str, int | None]

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows on one chromosome.

        Parameters
        ----------
        chrom : str
            The chromosome as the genes name it (``chr1`` finds ``1``).
        starts : ndarray of int64, shape (n,)
            0-based starts of the windows, in any order; they may reach past the chromosome's ends.
        length : int, bp
            The length of every window.

        Returns
        -------
        ndarray of float32, shape (n, length)
            NaN where the file has no value and outside the chromosome.

        Raises
        ------
        InputError
            The file is damaged, or (bigWig, which lists its chromosomes) has no such chromosome.
        """
        ...

    def survey(self, chroms: Iterable[str]) -> TrackSurvey:
        """Sum up what the track holds on some chromosomes; those that it lacks count for nothing."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def open_track(path: str | Path, kind: TrackKind) -> Track:
    """Open a signal file.

    Parameters
    ----------
    path : str or Path
        The file; text kinds may be gzipped.
    kind : {"bigwig", "bedgraph", "narrowpeak"}
        Its format. A narrowPeak's value is its signalValue (column 7), the highest one where peaks overlap.

    Raises
    ------
    InputError
        The file is missing, damaged, empty, or not of that kind.
    """
    path = Path(path)
    match kind:
        case "bigwig":
            return BigWigTrack(path)
        case "bedgraph":
            return open_bedgraph(path)
        case "narrowpeak":
            return open_narrowpeak(path)
    raise InputError(f"{path}: unknown kind of track {kind!r}.{did_you_mean(str(kind), get_args(TrackKind))}")
