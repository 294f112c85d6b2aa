"""Windows around genes: where each starts, which strand it is read on, and its central part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.errors import ConfigError

__all__ = ["MAX_BASES", "Orient", "WindowGrid", "check_length", "crop_slice"]

Orient = Literal["genome", "strand"]
"""``genome``: read every window on the plus strand, as the paper does; ``strand``: read each on its gene's strand."""

MAX_BASES = 2**23
"""Bases of windows that are held in memory at a time: 32 MB of one signal as float32."""

_Value = TypeVar("_Value", bound=np.generic)


def check_length(length: int, resolution: int = 1) -> None:
    """Raise ``ConfigError`` unless a window has a middle, where the TSS is: an even number of positions."""
    if length < 2 or length % (2 * resolution):
        choice = "an even number of bases, such as 2000" if resolution == 1 else f"a multiple of {2 * resolution} bp"
        raise ConfigError(f"A window of {length} bp has no middle. Choose {choice}.")


def crop_slice(length: int, shorter: int, resolution: int = 1) -> slice:
    """Return the positions of a window that belong to a shorter window around the same TSS; lengths are even, in bp.

    A crop that is longer, or does not start at a position of ``resolution`` bp, is a ``ConfigError``.

    Examples
    --------
    >>> crop_slice(2000, 500)
    slice(750, 1250, None)
    """
    start = length // 2 - shorter // 2
    if start < 0:
        raise ConfigError(f"A window of {length:,} bp cannot be cropped to {shorter:,} bp. Choose a shorter window.")
    if start % resolution or shorter % resolution:
        raise ConfigError(
            f"A window of {length:,} bp cannot be cropped to {shorter:,} bp in steps of {resolution} bp. "
            f"Choose a multiple of {2 * resolution} bp."
        )
    return slice(start // resolution, (start + shorter) // resolution)


@dataclass(frozen=True, eq=False)
class WindowGrid:
    """The windows of some genes.

    The TSS is at base ``length // 2`` of every window in reading direction, so windows of all lengths share a centre.
    A window of a minus-strand gene that is read on its strand covers (tss − L/2, tss + L/2]: it starts one base later.

    Parameters
    ----------
    chrom, tss, strand : ndarray, (gene,)
        Chromosomes, 0-based bases of the TSSs, and ``"+"`` or ``"-"``.
    length : int, bp
        Window length, a multiple of twice the resolution.
    orientation : Orient
        The strand on which windows are read.
    resolution : int, bp
        Bases per position of a window.
    """

    chrom: NDArray[np.object_]
    tss: NDArray[np.int64]
    strand: NDArray[np.object_]
    length: int
    orientation: Orient
    resolution: int = 1

    def __post_init__(self) -> None:
        check_length(self.length, self.resolution)

    @classmethod
    def of(cls, genes: pd.DataFrame, length: int, orientation: Orient) -> WindowGrid:
        """Return the windows of a table of genes with the columns chrom, tss and strand."""
        chrom, strand = (genes[name].to_numpy(object) for name in ("chrom", "strand"))
        return cls(chrom, genes["tss"].to_numpy(np.int64), strand, length, orientation)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.tss)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WindowGrid):
            return NotImplemented
        same = (self.length, self.orientation, self.resolution) == (other.length, other.orientation, other.resolution)
        arrays = ("chrom", "tss", "strand")
        return same and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)

    __hash__ = None  # type: ignore[assignment]  # it holds arrays

    def __getitem__(self, rows: NDArray[np.int64]) -> WindowGrid:
        """Return the windows of some genes, by a mask or by indices."""
        return replace(self, chrom=self.chrom[rows], tss=self.tss[rows], strand=self.strand[rows])

    @property
    def flips(self) -> NDArray[np.bool_]:
        """Which windows are read on the minus strand, bool (gene,)."""
        return np.asarray((self.strand == "-") & (self.orientation == "strand"), np.bool_)

    @property
    def starts(self) -> NDArray[np.int64]:
        """First base of each window on the genome, int64 (gene,); negative before a chromosome's start."""
        return self.tss - self.length // 2 + self.flips

    def orient(
        self, windows: NDArray[_Value], flip: Callable[[NDArray[Any]], NDArray[Any]] = lambda values: values[..., ::-1]
    ) -> NDArray[_Value]:
        """Turn windows from the genome's direction into the reading direction, or back, in place, and return them.

        Parameters
        ----------
        windows : ndarray, (gene, ..., position)
            The values.
        flip : callable
            What to do with windows that are read on the minus strand: reversal, or the reverse complement of bases.
        """
        flips = self.flips
        windows[flips] = flip(windows[flips])
        return windows

    def crop(self, length: int) -> WindowGrid:
        """Return the central parts of the windows; :func:`crop_slice` returns where they are."""
        crop_slice(self.length, length, self.resolution)
        return replace(self, length=length)

    def chunks(self, max_bases: int | None = None) -> Iterator[tuple[NDArray[np.int64], WindowGrid]]:
        """Cut the windows into chunks of one chromosome each that fit in memory, at least one window each.

        Parameters
        ----------
        max_bases : int, optional
            Most bases of a chunk, :data:`MAX_BASES` by default.

        Yields
        ------
        rows : ndarray of int64, (n,)
            Rows of the chunk, ascending.
        grid : WindowGrid
            Their windows.
        """
        size = max(1, (MAX_BASES if max_bases is None else max_bases) // self.length)
        for chrom in dict.fromkeys(self.chrom.tolist()):
            rows = np.flatnonzero(self.chrom == chrom).astype(np.int64)
            for first in range(0, len(rows), size):
                chosen = rows[first : first + size]
                yield chosen, self[chosen]
