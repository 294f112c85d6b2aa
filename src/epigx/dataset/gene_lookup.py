"""Finds genes by symbol or identifier, and what a dataset stores of one gene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.errors import DatasetError

__all__ = ["GeneWindow", "find_genes"]

_VERSION = re.compile(r"\.\d+$")
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class GeneWindow:
    """One gene of a dataset, with raw values.

    Attributes
    ----------
    gene : dict
        The gene's row of ``genes.parquet``: gene_id, symbol, chrom, tss, strand, and so on.
    bases : str
        The window's DNA in reading direction; N for unknown bases. The TSS is at index ``len(bases) // 2``.
    signal_names : tuple of str
        Names of the signals, in the order of the last axis of ``signals``.
    signals : dict of str to ndarray of float16 or float32, (length, signal)
        Signals by cell type.
    features : dict of str to dict of str to float
        Features by cell type and name; NaN where a value is missing.
    labels : dict of str to float
        log10(1 + expression) by cell type; NaN where a label is missing.
    """

    gene: dict[str, Any]
    bases: str
    signal_names: tuple[str, ...]
    signals: dict[str, NDArray[np.floating[Any]]]
    features: dict[str, dict[str, float]]
    labels: dict[str, float]

    def __repr__(self) -> str:
        gene = self.gene
        return (
            f"GeneWindow({gene['symbol']}, {gene['gene_id']}): {gene['chrom']}:{gene['tss'] + 1:,} "
            f"({gene['strand']}) · "
            f"{len(self.bases):,} bp · {', '.join(self.signal_names)} · {', '.join(self.signals)}"
        )


def find_genes(genes: pd.DataFrame, names: Sequence[str], path: Path) -> NDArray[np.int64]:
    """Find the rows of genes, in the order of ``names``, by symbol or identifier, with or without version (``.12``).

    An exact identifier takes precedence over a symbol, and that over an identifier of another version. ``path`` is the
    dataset, for error messages.

    Raises
    ------
    DatasetError
        A gene is unknown, or several genes have the name.
    """
    ids, symbols = genes["gene_id"].tolist(), genes["symbol"].tolist()
    by_id, by_symbol, by_base = _rows(ids), _rows(symbols), _rows([_VERSION.sub("", gene_id) for gene_id in ids])
    found = []
    unknown = []
    for name in names:
        rows = by_id.get(name) or by_symbol.get(name) or by_base.get(_VERSION.sub("", name)) or []
        if len(rows) > 1:
            choice = ", ".join(ids[row] for row in rows)
            raise DatasetError(f"{path} has {len(rows)} genes named {name!r}. Use one of their ids: {choice}.")
        if rows:
            found.append(rows[0])
        else:
            unknown.append(name)
    if unknown:
        raise DatasetError(_unknown(unknown, [*symbols, *ids], path))
    return np.array(found, np.int64)


def _rows(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each name."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return rows


def _unknown(names: Sequence[str], known: Sequence[str], path: Path) -> str:
    """Return the error message for unknown genes, with similar names, in any case, for the first of them."""
    if len(names) > 1:
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        listed = ", ".join(names[:_SHOWN]) + more
        return f"{path} does not have these {len(names):,} genes: {listed}. Remove them, or use other symbols or ids."
    folded = {name.casefold(): name for name in reversed(known)}
    near = get_close_matches(names[0].casefold(), folded, n=1, cutoff=0.6)
    remedy = f"Did you mean {folded[near[0]]!r}?" if near else "Use a gene symbol or a gene id of its genes.parquet."
    return f"{path} has no gene {names[0]!r}. {remedy}"
