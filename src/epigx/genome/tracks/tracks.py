"""Genomic tracks: values along the genome, read as windows of per-base values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from epigx.genome.formats import require_format

__all__ = ["Track", "TrackSummary", "open_track"]


class TrackSummary(NamedTuple):
    """Summary statistics of a track on some chromosomes.

    Attributes
    ----------
    covered_bases : int
        Bases with a value.
    maximum : float
        Over the covered bases; NaN if there are none.
    negative : bool
        Whether any value is below zero.
    """

    covered_bases: int
    maximum: float
    negative: bool

    @classmethod
    def combine(cls, parts: Iterable[TrackSummary]) -> TrackSummary:
        """Combine the summaries of several chromosomes.

        Examples
        --------
        >>> TrackSummary.combine([TrackSummary(10, 5.0, False), TrackSummary(0, 0.0, False)])
        TrackSummary(covered_bases=10, maximum=5.0, negative=False)
        """
        known = [part for part in parts if part.covered_bases]
        return cls(
            covered_bases=sum(part.covered_bases for part in known),
            maximum=max((part.maximum for part in known), default=float("nan")),
            negative=any(part.negative for part in known),
        )


@runtime_checkable
class Track(Protocol):
    """A signal along the genome.

    A track has an open file, or has read all intervals of a file. It can be sent to another process, which
    opens the file again.

    Attributes
    ----------
    path : Path
        The file.
    chromosomes : dict of str to int or None
        The length of each chromosome in bp, by its name in the file (``None``: the format does not record lengths).
    """

    path: Path
    chromosomes: dict[str, int | None]

    def windows(self, chrom: str, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n length"]:
        """Return the value of each base of some windows on one chromosome; NaN where there is none, and outside of it.

        The chromosome is named as in the genes (``chr1`` also matches ``1``). Starts are 0-based, in any order; windows
        may extend beyond the chromosome.

        Raises
        ------
        InputError
            The file is damaged, or its format lists chromosomes (bigWig) and this one is missing.
        """
        ...

    def summary(self, chroms: Iterable[str]) -> TrackSummary:
        """Summarize the values on some chromosomes, ignoring those that are not in the file."""
        ...


def open_track(path: str | Path, kind: str | None = None, **options: Any) -> Track:
    """Open a signal file.

    Parameters
    ----------
    path : str or Path
        The file; text formats may be gzipped.
    kind : str or None
        Its format (``bigwig``, ``bedgraph``, ``narrowpeak``, or one that a plug-in adds); ``None`` takes it from the
        suffix. The value of a narrowPeak is its signalValue (column 7), and the highest one where peaks overlap.
    **options
        Options of the format; the built-in ones have none.

    Raises
    ------
    InputError
        The file is missing, damaged, empty, or of another format.
    """
    return cast(Track, require_format(path, kind, "track").open(path, **options))
