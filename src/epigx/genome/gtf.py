"""Read lines and attributes of a GTF."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from epigx.errors import InputError
from epigx.genome.bed import open_text

__all__ = ["gene_biotype", "read_gtf"]

_ATTRIBUTE = re.compile(r'(\w+)\s+(?:"([^"]*)"|([^\s;]+))')


def read_gtf(path: str | Path, features: Collection[str], attributes: Sequence[str]) -> pd.DataFrame:
    """Read the lines of selected features (column 3) of a GTF (GENCODE, Ensembl, RefSeq, UCSC), plain or gzipped.

    Returns
    -------
    DataFrame
        ``feature, chrom, start, end, strand``, the attributes, and ``line``; coordinates 0-based, half-open. Repeated
        attributes (``tag``) are joined with commas; missing ones are empty.

    Raises
    ------
    InputError
        The file is not GTF, or a selected line has invalid coordinates or no strand.
    """
    rows: list[tuple[object, ...]] = []
    with open_text(path) as text:
        for number, line in enumerate(text, start=1):
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split("\t")
            if len(fields) < 9:
                raise InputError(
                    f"{path}, line {number}: {len(fields)} columns instead of 9. Check that it is a tab-separated GTF."
                )
            if fields[2] not in features:
                continue
            found = _attributes(fields[8], attributes)
            rows.append((fields[2], fields[0], *_position(path, number, fields), *found, number))
    columns = ["feature", "chrom", "start", "end", "strand", *attributes, "line"]
    return pd.DataFrame(rows, columns=columns)


def gene_biotype(frame: pd.DataFrame) -> pd.Series:
    """Return each line's biotype: ``gene_type`` (GENCODE) or ``gene_biotype`` (Ensembl, RefSeq)."""
    return frame["gene_type"].where(frame["gene_type"] != "", frame["gene_biotype"])


def _attributes(text: str, wanted: Sequence[str]) -> list[str]:
    found: dict[str, list[str]] = {name: [] for name in wanted}
    for name, quoted, bare in _ATTRIBUTE.findall(text):
        if name in found:
            found[name].append(quoted or bare)
    return [",".join(values) for values in found.values()]


def _position(path: str | Path, number: int, fields: list[str]) -> tuple[int, int, str]:
    try:
        start, end = int(fields[3]) - 1, int(fields[4])
    except ValueError:
        raise InputError(
            f"{path}, line {number}: start {fields[3]!r} and end {fields[4]!r} are not whole numbers. "
            "Check that it is a GTF."
        ) from None
    if start < 0 or end <= start:
        raise InputError(
            f"{path}, line {number}: start {fields[3]} and end {fields[4]} are not an interval. "
            "GTF is 1-based and includes the end."
        )
    if fields[6] not in {"+", "-"}:
        raise InputError(f"{path}, line {number}: strand {fields[6]!r} is not + or -.")
    return start, end, fields[6]
