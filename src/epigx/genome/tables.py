"""Read columns of tables with one row per gene."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from epigx.errors import InputError, did_you_mean
from epigx.genome.bed import open_text

__all__ = ["GeneTable", "match_genes", "read_table"]

_VERSION = re.compile(r"^(ENS[A-Z]*\d+)\.\d+")
_ID_COLUMNS = ("gene_id", "ENSID", "ensembl_id", "Gene stable ID", "gene")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table with a header as text: TSV, or CSV if the header has no tab; plain or gzipped.

    Lines above the header that start with ``##`` are ignored.

    Returns
    -------
    DataFrame
        Text (missing values are empty), indexed by the 1-based line.

    Raises
    ------
    InputError
        The file cannot be read, is empty, or a row has more fields than the header.
    """
    above, separator = _layout(path)
    with open_text(path) as text:
        try:
            with warnings.catch_warnings():
                # pandas only warns about a first row that is longer than the header, and refuses longer later rows.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                table = pd.read_csv(
                    text,
                    sep=separator,
                    dtype=str,
                    na_filter=False,
                    index_col=False,
                    skiprows=above,
                    skip_blank_lines=False,
                )
        except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
            raise InputError(f"{path}: the rows do not match the header: {' '.join(str(error).split())}") from None
    table.columns = [str(name).strip().removeprefix("#") for name in table.columns]
    table.index += above + 2
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise InputError(f"{path} has no rows below its header. Check that the file is complete.")
    return table


def match_genes(gene_ids: Sequence[str], table_ids: Sequence[str]) -> Int64[np.ndarray, " n"]:
    """Find the row of each gene in a table, by its id or else by its id without the Ensembl version (``.12``).

    It is -1 if the table lacks the gene (or has it in several other versions).

    Examples
    --------
    >>> match_genes(["ENSG1.2", "ENSG2", "ENSG3"], ["ENSG2.7", "ENSG1.2"])
    array([ 1,  0, -1])
    """
    exact = {gene: row for row, gene in enumerate(table_ids)}
    bare: dict[str, int] = {}
    for row, gene in enumerate(map(_without_version, table_ids)):
        bare[gene] = -1 if gene in bare else row
    return np.array([exact.get(gene, bare.get(_without_version(gene), -1)) for gene in gene_ids], dtype=np.int64)


class GeneTable:
    """A table (see :func:`read_table`) with one row per gene, read once.

    The gene ids are in the first of ``gene_id``, ``ENSID``, ``ensembl_id``, ``Gene stable ID`` and ``gene`` that
    exists, otherwise in the first column.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._table = read_table(path)
        name = next((name for name in _ID_COLUMNS if name in self._table), str(self._table.columns[0]))
        self._ids: pd.Series = self._table[name]
        self._repeated = self._ids[self._ids.duplicated()]

    def numbers(self, column: str, gene_ids: Sequence[str]) -> Float64[np.ndarray, " n"]:
        """Return the values of a column for some genes, whose Ensembl versions may differ (see :func:`match_genes`).

        They are NaN if the table lacks the gene or the value (empty, ``NA``, ``NaN``, ``.``).

        Raises
        ------
        InputError
            The table lacks the column, has a gene twice, or a value of the column is not a number.
        """
        if column not in self._table:
            raise InputError(f"{self._path} has no column {column!r}.{did_you_mean(column, self._table.columns)}")
        if len(self._repeated):
            line, gene = self._repeated.index[0], self._repeated.iloc[0]
            raise InputError(f"{self._path}, line {line}: gene {gene!r} is listed twice. Keep one row per gene.")
        rows = match_genes(gene_ids, self._ids.tolist())
        values = np.full(len(rows), np.nan)
        values[rows >= 0] = _numbers(self._path, self._table[column])[rows[rows >= 0]]
        return values


def _layout(path: str | Path) -> tuple[int, str]:
    """Return the number of lines above the header, and the column separator."""
    with open_text(path) as text:
        for number, line in enumerate(text):
            if line.strip() and not line.startswith("##"):
                return number, "," if "," in line and "\t" not in line else "\t"
    raise InputError(f"{path} is empty. Give a table with a header.")


def _numbers(path: str | Path, texts: pd.Series) -> Float64[np.ndarray, " rows"]:
    texts = texts.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    wrong = np.isnan(numbers) & ~texts.str.lower().isin(["", ".", "na", "nan", "null", "none"]).to_numpy()
    wrong |= np.isinf(numbers)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}, line {texts.index[row]}: {texts.name} is {texts.iloc[row]!r}, not a number. "
            "Correct it, or leave it empty if there is no value."
        )
    return numbers


def _without_version(gene_id: str) -> str:
    return _VERSION.sub(r"\1", gene_id) if "." in gene_id else gene_id
