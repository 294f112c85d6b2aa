"""Chromatin loops (bedpe): a base is in contact with a TSS if a loop connects them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from epigx.errors import ConfigError, InputError
from epigx.genome.bed import Column, check_intervals, open_text, read_bed
from epigx.genome.chromosomes import find_chromosome

__all__ = ["LoopContacts"]


class _Anchors(NamedTuple):
    """The loops of one chromosome, each listed once from either anchor."""

    near: Int64[np.ndarray, "loops 2"]
    far: Int64[np.ndarray, "loops 2"]
    value: Float64[np.ndarray, " loops"]


class LoopContacts:
    """Loops within chromosomes; loops between chromosomes are ignored.

    A loop belongs to a gene if one of its anchors contains the TSS or is within ``slack`` bp of it. Every base of the
    other anchor then gets the value of the loop. So does every base of the anchor at the TSS, because the other anchor
    is usually outside the window. Where several loops overlap, the highest value counts.

    Parameters
    ----------
    path : Path
        A bedpe: chrom, start, end of both anchors, then further columns.
    column : int or None
        The 1-based column of the value. ``None`` takes the last column after the sixth that has only numbers; without
        such a column, every loop has the value 1.

    Raises
    ------
    InputError
        The file is missing or damaged, is not bedpe, or has a negative value.
    ConfigError
        A number is out of range.
    """

    def __init__(self, path: Path, *, column: int | None = None, slack: int = 0) -> None:
        if slack < 0:
            raise ConfigError(f"slack is {slack}. Choose 0 bp or more.")
        if column is not None and column < 7:
            raise ConfigError(
                f"column is {column}. Choose 7 or higher (counted from 1): columns 1 to 6 are the anchors."
            )
        self.path: Path | None = path
        self._path = path
        self._slack = slack
        self._loops = _read(path, column)
        self.chromosomes: dict[str, int | None] | None = dict.fromkeys(self._loops)

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the highest value of the loops between each base and the TSS (see :class:`~.contacts.Contacts`)."""
        contacts = np.zeros((len(starts), length), dtype=np.float32)
        # A bedpe does not list chromosomes, so one without a loop is not an error.
        name = find_chromosome(chrom, self._loops, self._path)
        if name is None:
            return contacts
        loops = self._loops[name]
        for row, (site, start) in enumerate(zip(np.asarray(tss), np.asarray(starts), strict=True)):
            inside = (loops.near[:, 0] - self._slack <= site) & (site < loops.near[:, 1] + self._slack)
            for loop in np.flatnonzero(inside):
                for anchor in (loops.near[loop], loops.far[loop]):
                    left, right = np.clip(anchor - start, 0, length)
                    np.maximum(contacts[row, left:right], loops.value[loop], out=contacts[row, left:right])
        return contacts


def _read(path: Path, column: int | None) -> dict[str, _Anchors]:
    columns = {
        "chrom": Column(0, str),
        "start1": Column(1, int),
        "end1": Column(2, int),
        "chrom2": Column(3, str),
        "start2": Column(4, int),
        "end2": Column(5, int),
    }
    index = _last_numeric(path) if column is None else column - 1
    if index is not None:
        columns["value"] = Column(index, float)
    loops = read_bed(path, columns, what="a bedpe of loops")
    for side in ("1", "2"):
        check_intervals(loops, path, start=f"start{side}", end=f"end{side}")
    if index is None:
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
    """Return the 0-based index of the last column after the sixth with a number in every row."""
    numeric: set[int] | None = None
    with open_text(path) as text:
        for line in text:
            fields = line.rstrip("\n").split("\t" if "\t" in line else None)
            if line.startswith(("#", "track", "browser")) or len(fields) < 6 or not fields[1].isdigit():
                continue
            here = {index for index in range(6, len(fields)) if _is_number(fields[index])}
            numeric = here if numeric is None else numeric & here
    return max(numeric) if numeric else None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
