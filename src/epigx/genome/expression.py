"""Expression labels, log10(1 + x), from CAGE tracks around the TSS or from a column of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float32

from epigx.errors import ConfigError, InputError
from epigx.genome.tables import GeneTable
from epigx.genome.tracks.tracks import Track

__all__ = ["cage_label", "table_label"]


def cage_label(plus: Track, minus: Track | None, genes: pd.DataFrame, width: int = 384) -> Float32[np.ndarray, " n"]:
    """Return log10(1 + the CAGE signal summed over ``[tss - width / 2, tss + width / 2)``).

    Bases without a value count as 0. A track that is damaged or lacks a chromosome raises ``InputError``.

    Parameters
    ----------
    plus : Track
        CAGE of the + strand, or of both strands if ``minus`` is ``None``.
    minus : Track or None
        CAGE of the - strand. Many files have negative values there, so absolute values are used.
    genes : DataFrame
        ``chrom``, ``tss``, ``strand``, as returned by :func:`~.genes.read_genes`.
    width : int, bp
        An even number. 384 bp are three bins of 128 bp, as for the labels of K562 and GM12878.
    """
    if width < 2 or width % 2:
        raise ConfigError(f"The CAGE width is {width} bp. Choose an even number, such as 384.")
    total = np.zeros(len(genes))
    strands = genes["strand"].to_numpy() if minus is not None else np.full(len(genes), "+")
    for strand, track in (("+", plus), ("-", minus)):
        if track is None:
            continue
        for chrom in pd.unique(genes["chrom"]):
            rows = np.flatnonzero((genes["chrom"] == chrom).to_numpy() & (strands == strand))
            if len(rows):
                values = track.windows(str(chrom), genes["tss"].to_numpy()[rows] - width // 2, width)
                total[rows] = np.abs(np.nansum(values, axis=1, dtype=np.float64))
    return np.log10(1 + total).astype(np.float32)


def table_label(
    path: str | Path, column: str, gene_ids: Sequence[str], transform: Literal["log10p1", "none"]
) -> Float32[np.ndarray, " n"]:
    """Return the expression of genes from a table (see :class:`~.tables.GeneTable`); NaN where it has no value.

    ``log10p1`` computes log10(1 + x); use ``none`` if the column is on that scale already.

    Raises
    ------
    InputError
        The table lacks the column or has a gene twice, a value is not a number, or log10p1 meets a negative value.
    """
    values = GeneTable(path).numbers(column, gene_ids)
    if transform == "log10p1":
        if (values < 0).any():
            gene = list(gene_ids)[int(np.argmax(values < 0))]
            raise InputError(
                f"{path}: {column} of {gene!r} is {np.nanmin(values)}, but log10(1 + x) needs values of 0 or more. "
                "If the column already has logarithms, set its transform to none."
            )
        values = np.log10(1 + values)
    return values.astype(np.float32)
