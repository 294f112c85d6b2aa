"""Columns of BED-like text (BED, bedGraph, narrowPeak, bedpe), plain or gzipped, with the line of every complaint."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
import pandas as pd

from epigx.errors import InputError

__all__ = ["Column", "check_intervals", "open_text", "read_bed"]

_CHUNK = 500_000
_HEADINGS = ("#", "track", "browser")


class Column(NamedTuple):
    """A column to read: its 0-based place, and what it holds."""

    place: int
    kind: type[str] | type[int] | type[float]
    optional: bool = False


@contextmanager
def open_text(path: str | Path) -> Iterator[IO[str]]:
    """Open a text file, gzipped or plain (told by its first bytes), with any line ending.

    Raises
    ------
    InputError
        The file is missing, unreadable, a damaged gzip file, or not text.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2)[:2] == b"\x1f\x8b"
            binary = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
            with io.TextIOWrapper(binary, encoding="utf-8-sig") as text:
                yield text
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check its path.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{path} is a damaged or cut-off gzip file. Fetch or compress it again.") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path} is not a text file (it holds the byte {byte:#04x}). Check its kind.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def read_bed(path: str | Path, columns: Mapping[str, Column], *, what: str) -> pd.DataFrame:
    """Read some columns of a BED-like file.

    Blank lines, ``#`` comments, ``track`` and ``browser`` lines are passed over wherever they stand, and so is a
    header above the first row. Columns are parted by tabs, or by blanks when the first row has no tab.

    Parameters
    ----------
    path : str or Path
        The file, plain or gzipped.
    columns : mapping of str to Column
        What to read, by name. A value that a row lacks (or gives as ``.``) in an optional column is NaN, or empty
        for text.
    what : str
        What the file should be, for error messages ("a bedGraph").

    Returns
    -------
    DataFrame
        The columns (int64, float64 or str) and ``line``, the 1-based line of each row.

    Raises
    ------
    InputError
        The file cannot be read, holds no row, or a value is missing or is not a number; the line is named.
    """
    skipped, separator, width = _layout(path, columns, what)
    with open_text(path) as text:
        try:
            chunks = pd.read_csv(
                text,
                sep=separator,
                header=None,
                usecols=sorted({0} | {column.place for column in columns.values() if column.place < width}),
                dtype=str,
                na_filter=False,
                quoting=csv.QUOTE_NONE,
                skiprows=skipped,
                skip_blank_lines=False,
                chunksize=_CHUNK,
            )
            parts = [_convert(path, chunk, skipped, columns, what) for chunk in chunks]
        except pd.errors.ParserError as error:
            raise InputError(f"{path} cannot be read as {what}: {str(error).strip()}.") from None
    return pd.concat(parts, ignore_index=True)


def check_intervals(frame: pd.DataFrame, path: str | Path, *, start: str = "start", end: str = "end") -> None:
    """Make sure that every interval starts at 0 or later and ends after its start.

    Raises
    ------
    InputError
        One does not; its line and its values are named.
    """
    bad = np.flatnonzero((frame[start] < 0) | (frame[end] <= frame[start]))
    if len(bad):
        row = frame.iloc[bad[0]]
        raise InputError(
            f"{path}, line {row['line']}: {start} {row[start]} and {end} {row[end]} are no interval. "
            "Coordinates are 0-based and half-open, with the end after the start."
        )


def _layout(path: str | Path, columns: Mapping[str, Column], what: str) -> tuple[int, str, int]:
    """Return how many lines stand before the first row, what parts its columns, and how many it has."""
    with open_text(path) as text:
        header = True
        for number, line in enumerate(text):
            if not line.strip() or line.startswith(_HEADINGS):
                continue
            separator = "\t" if "\t" in line else None
            fields = line.rstrip("\n").split(separator)
            if header and _is_header(fields, columns):
                header = False
                continue
            for name, column in columns.items():
                if column.place >= len(fields) and not column.optional:
                    raise InputError(
                        f"{path}, line {number + 1}: no column {column.place + 1} ({name}). Check that it is {what}."
                    )
            return number, separator or r"\s+", len(fields)
    raise InputError(f"{path} holds no intervals. Check that it is {what} and was written to its end.")


def _is_header(fields: list[str], columns: Mapping[str, Column]) -> bool:
    """Tell a header from a row: none of its fields is a number where rows have coordinates."""
    places = [column.place for column in columns.values() if column.kind is int and not column.optional]
    return bool(places) and all(place < len(fields) and fields[place].isidentifier() for place in places)


def _convert(
    path: str | Path, chunk: pd.DataFrame, skipped: int, columns: Mapping[str, Column], what: str
) -> pd.DataFrame:
    """Turn one piece of the file from text to numbers."""
    first = chunk[0].str.strip()
    chunk = chunk[(first != "") & ~first.str.startswith(_HEADINGS)]
    line = chunk.index.to_numpy() + skipped + 1
    converted: dict[str, object] = {}
    for name, column in columns.items():
        texts = chunk[column.place] if column.place in chunk else pd.Series("", index=chunk.index, dtype=str)
        if column.kind is str:
            values, wrong = texts.to_numpy(), (texts == "").to_numpy()
        else:
            values = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
            wrong = ~np.isfinite(values) | ((values % 1 != 0) if column.kind is int else False)
        if column.optional:
            wrong = wrong & ~texts.isin(["", "."]).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}, line {line[row]}: column {column.place + 1} ({name}) is {texts.iloc[row]!r}, "
                f"not {_NOUNS[column.kind]}. Check that the file is {what}."
            )
        converted[name] = values.astype(np.int64) if column.kind is int and not column.optional else values
    return pd.DataFrame({**converted, "line": line})


_NOUNS = {str: "a name", int: "a whole number", float: "a number"}
