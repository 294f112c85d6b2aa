"""Read columns of BED-like text (BED, bedGraph, narrowPeak, bedpe), plain or gzipped; errors name the line."""

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
    """A column to read: its 0-based position, and the type of its values."""

    position: int
    kind: type[str] | type[int] | type[float]
    optional: bool = False


@contextmanager
def open_text(path: str | Path) -> Iterator[IO[str]]:
    """Open a text file, gzipped or plain (detected from its first bytes), with any line ending.

    Raises ``InputError`` if it is missing, unreadable, a damaged gzip file, or not text.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            gzipped = raw.peek(2)[:2] == b"\x1f\x8b"
            binary = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if gzipped else raw
            with io.TextIOWrapper(binary, encoding="utf-8-sig") as text:
                yield text
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check its path.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError(f"{path} is a damaged or truncated gzip file. Download or compress it again.") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path} is not a text file (it contains the byte {byte:#04x}). Check its format.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def read_bed(path: str | Path, columns: Mapping[str, Column], *, what: str) -> pd.DataFrame:
    """Read some columns of a BED-like file, plain or gzipped; ``what`` names its format in errors ("a bedGraph").

    Blank lines, ``#`` comments, and ``track`` and ``browser`` lines are ignored anywhere in the file, as is a header
    above the first row. Columns are separated by tabs, or by spaces if the first row has no tab.

    Returns
    -------
    DataFrame
        The columns (int64, float64 or str) and ``line``, the 1-based line of each row. Missing values (or ``.``) in an
        optional column are NaN, or empty text.

    Raises
    ------
    InputError
        The file cannot be read or has no rows, or a value is missing or not a number; the message names the line.
    """
    skipped, separator, width = _layout(path, columns, what)
    with open_text(path) as text:
        try:
            chunks = pd.read_csv(
                text,
                sep=separator,
                header=None,
                usecols=sorted({0} | {column.position for column in columns.values() if column.position < width}),
                dtype=str,
                na_filter=False,
                quoting=csv.QUOTE_NONE,
                skiprows=skipped,
                skip_blank_lines=False,
                chunksize=_CHUNK,
            )
            tables = [_convert(path, chunk, skipped, columns, what) for chunk in chunks]
        except pd.errors.ParserError as error:
            raise InputError(f"{path} cannot be read as {what}: {str(error).strip()}.") from None
    return pd.concat(tables, ignore_index=True)


def check_intervals(frame: pd.DataFrame, path: str | Path, *, start: str = "start", end: str = "end") -> None:
    """Raise ``InputError``, with the line, unless every interval starts at 0 or later and ends after its start."""
    bad = np.flatnonzero((frame[start] < 0) | (frame[end] <= frame[start]))
    if len(bad):
        row = frame.iloc[bad[0]]
        raise InputError(
            f"{path}, line {row['line']}: {start} {row[start]} and {end} {row[end]} are not an interval. "
            "Coordinates are 0-based and half-open, with the end after the start."
        )


def _layout(path: str | Path, columns: Mapping[str, Column], what: str) -> tuple[int, str, int]:
    """Return the number of lines above the first row, its column separator, and its number of columns."""
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
                if column.position >= len(fields) and not column.optional:
                    raise InputError(
                        f"{path}, line {number + 1}: column {column.position + 1} ({name}) is missing. "
                        f"Check that the file is {what}."
                    )
            return number, separator or r"\s+", len(fields)
    raise InputError(f"{path} has no intervals. Check that it is {what} and is complete.")


def _is_header(fields: list[str], columns: Mapping[str, Column]) -> bool:
    """Return whether a line is a header: it has names where rows have coordinates."""
    indices = [column.position for column in columns.values() if column.kind is int and not column.optional]
    return bool(indices) and all(index < len(fields) and fields[index].isidentifier() for index in indices)


def _convert(
    path: str | Path, chunk: pd.DataFrame, skipped: int, columns: Mapping[str, Column], what: str
) -> pd.DataFrame:
    """Convert one chunk of the file from text to numbers."""
    first = chunk[0].str.strip()
    chunk = chunk[(first != "") & ~first.str.startswith(_HEADINGS)]
    line = chunk.index.to_numpy() + skipped + 1
    converted: dict[str, object] = {}
    for name, column in columns.items():
        texts = chunk[column.position] if column.position in chunk else pd.Series("", index=chunk.index, dtype=str)
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
                f"{path}, line {line[row]}: column {column.position + 1} ({name}) is {texts.iloc[row]!r}, "
                f"not {_NOUNS[column.kind]}. Check that the file is {what}."
            )
        converted[name] = values.astype(np.int64) if column.kind is int and not column.optional else values
    return pd.DataFrame({**converted, "line": line})


_NOUNS = {str: "a name", int: "a whole number", float: "a number"}
