"""Stretches of a chromosome: 0-based, half-open, stranded."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from epigx.errors import ConfigError, InputError

__all__ = ["Interval", "tss_window"]

_REGION = re.compile(r"(?P<chrom>[^\s:]+):(?P<start>\d[\d,]*)-(?P<end>\d[\d,]*)(?:\((?P<strand>[+-])\))?")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The bases ``start`` to ``end - 1`` of a chromosome, counted from 0.

    Parameters
    ----------
    chrom : str
        The chromosome.
    start, end : int, bp
        0-based, half-open. ``start`` may be negative and ``end`` may lie past the chromosome's end: a window around
        a TSS near an end is still a window (see :meth:`clip`).
    strand : "+" or "-"
        The strand that is read.

    Raises
    ------
    InputError
        ``end`` lies before ``start``, or the strand is neither ``+`` nor ``-``.

    Examples
    --------
    >>> Interval("chr1", 1000, 3000).resize(500)
    Interval(chrom='chr1', start=1750, end=2250, strand='+')
    """

    chrom: str
    start: int
    end: int
    strand: str = "+"

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InputError(
                f"Interval {self.chrom}, start {self.start}, end {self.end}: the end lies before the start. Swap them."
            )
        if self.strand not in {"+", "-"}:
            raise InputError(
                f"Interval {self.chrom}, start {self.start}, end {self.end}: strand {self.strand!r} is not + or -."
            )

    @property
    def length(self) -> int:
        """The number of bases."""
        return self.end - self.start

    @property
    def center(self) -> int:
        """The 0-based base at index ``length // 2`` (of a window around a TSS: the TSS)."""
        return self.start + self.length // 2

    def resize(self, length: int) -> Interval:
        """Return the interval of ``length`` bp with the same centre, ``[center - length // 2, …)``.

        Raises
        ------
        InputError
            ``length`` is negative.
        """
        start = self.center - length // 2
        return replace(self, start=start, end=start + length)

    def clip(self, chrom_length: int) -> Interval:
        """Return the part that lies on a chromosome of ``chrom_length`` bp (of no length when none does)."""
        start = min(max(self.start, 0), chrom_length)
        return replace(self, start=start, end=max(min(self.end, chrom_length), start))

    @classmethod
    def parse(cls, region: str) -> Interval:
        """Read a region as people write it: 1-based, both ends included, commas allowed, ``(-)`` for the strand.

        Raises
        ------
        InputError
            The text is not such a region.

        Examples
        --------
        >>> Interval.parse("chr1:1,001-3,000")
        Interval(chrom='chr1', start=1000, end=3000, strand='+')
        """
        match = _REGION.fullmatch(region.strip())
        if match is None:
            raise InputError(f"{region!r} is not a region. Write it as chr1:1,001-3,000 or chr1:1,001-3,000(-).")
        start, end = (int(match[side].replace(",", "")) for side in ("start", "end"))
        return cls(match["chrom"], start - 1, end, match["strand"] or "+")

    def __str__(self) -> str:
        """Return the region that :meth:`parse` reads back, such as ``chr1:1,001-3,000``."""
        return f"{self.chrom}:{self.start + 1:,}-{self.end:,}" + ("(-)" if self.strand == "-" else "")


def tss_window(chrom: str, tss: int, length: int, strand: str = "+") -> Interval:
    """Return the window ``[tss - length / 2, tss + length / 2)``; the TSS is its base at index ``length / 2``.

    Parameters
    ----------
    chrom : str
        The chromosome.
    tss : int
        The 0-based base of the TSS.
    length : int, bp
        An even number, 2 or more.
    strand : "+" or "-"
        The gene's strand. The window is the same for both.

    Raises
    ------
    ConfigError
        The length is odd or below 2.

    Examples
    --------
    >>> str(tss_window("chr1", 65_419, 2_000))
    'chr1:64,420-66,419'
    """
    if length < 2 or length % 2:
        raise ConfigError(f"A window of {length} bp has no middle. Choose an even number of bases, such as 2000.")
    return Interval(chrom, tss - length // 2, tss + length // 2, strand)
