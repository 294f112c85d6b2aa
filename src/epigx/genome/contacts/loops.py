"""Chromatin loops (bedpe): a base is in contact with a TSS when a loop joins them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from epigx.errors import InputError
from epigx.genome.bed import Column, check_intervals, open_text, read_rows
from epigx.genome.chromosomes import find_chromosome

__all__ = ["LoopContacts"]


class _Anchors(NamedTuple):
    """The loops of one chromosome, each twice: once from either side."""

    near: Int64[np.ndarray, "loops 2"]
    far: Int64[np.ndarray, "loops 2"]
    value: Float64[np.ndarray, " loops"]


class LoopContacts:
    """Loops within chromosomes; those between chromosomes are passed over.

    A loop counts for a gene when one of its anchors holds the TSS, or lies within ``slack`` bp of it. Then every base
    of the other anchor has the loop's value and, since the other anchor mostly lies outside a window around the TSS,
    so has every base of the anchor at the TSS: the window's bases share the TSS's loops. Where several loops give a
    base a value, the highest counts.

    Parameters
    ----------
    path : Path
        A bedpe: chrom, start, end of both anchors, then further columns.
    column : int or None
        The 1-based column of the value. ``None`` takes the last column after the sixth that holds numbers alone; loops
        without such a column have the value 1.
    slack : int, bp
        See above.
    """

    def __init__(self, path: Path, *, column: int | None = None, slack: int = 0) -> None:
        self.path: Path | None = path
        self._path = path
        self._slack = slack
        self._loops = _read(path, column)
        self.chromosomes: dict[str, int | None] | None = dict.fromkeys(self._loops)

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the highest value of the loops that join each base with the TSS (see :class:`~.contacts.Contacts`)."""
        contacts = np.zeros((len(starts), length), dtype=np.float32)
        # Such a file does not list its chromosomes: one without a loop is simply absent.
        name = find_chromosome(chrom, self._loops, self._path)
        if name is None:
            return contacts
        loops = self._loops[name]
        for row, (site, start) in enumerate(zip(np.asarray(tss), np.asarray(starts), strict=True)):
            held = (loops.near[:, 0] - self._slack <= site) & (site < loops.near[:, 1] + self._slack)
            for loop in np.flatnonzero(held):
                for anchor in (loops.near[loop], loops.far[loop]):
                    left, right = np.clip(anchor - start, 0, length)
                    np.maximum(contacts[row, left:right], loops.value[loop], out=contacts[row, left:right])
        return contacts

    def close(self) -> None:
        """Do nothing: the file was read whole."""


def _read(path: Path, column: int | None) -> dict[str, _Anchors]:
    columns = {
        "chrom": Column(0, str),
        "start1": Column(1, int),
        "end1": Column(2, int),
        "chrom2": Column(3, str),
        "start2": Column(4, int),
        "end2": Column(5, int),
    }
    place = _last_numeric(path) if column is None else column - 1
    if place is not None:
        columns["value"] = Column(place, float)
    loops = read_rows(path, columns, what="a bedpe of loops")
    for side in ("1", "2"):
        check_intervals(loops, path, start=f"start{side}", end=f"end{side}")
    if place is None:
        loops["value"] = 1.0
    elif (loops["value"] < 0).any():
        row = loops[loops["value"] < 0].iloc[0]
        raise InputError(f"{path}, line {row['line']}: the value {row['value']} is negative. Choose another column.")
    loops = loops[loops["chrom"] == loops["chrom2"]]
    return {str(chrom): _both_ways(group) for chrom, group in loops.groupby("chrom", sort=False)}


def _both_ways(loops: pd.DataFrame) -> _Anchors:
    one, two = (loops[[f"start{side}", f"end{side}"]].to_numpy(np.int64) for side in "12")
    value = loops["value"].to_numpy(np.float64)
    return _Anchors(np.concatenate([one, two]), np.concatenate([two, one]), np.concatenate([value, value]))


def _last_numeric(path: Path) -> int | None:
    """Return the 0-based place of the last column after the sixth that holds a number in every row."""
    numeric: set[int] | None = None
    with open_text(path) as text:
        for line in text:
            fields = line.rstrip("\n").split("\t" if "\t" in line else None)
            if line.startswith(("#", "track", "browser")) or len(fields) < 6 or not fields[1].isdigit():
                continue
            here = {place for place in range(6, len(fields)) if _is_number(fields[place])}
            numeric = here if numeric is None else numeric & here
    return max(numeric) if numeric else None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
