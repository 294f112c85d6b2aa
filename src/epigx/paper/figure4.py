"""The exhibit of single genes: Figure 4, and the query that finds genes like the paper's."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from epigx.dataset.signals import apply_transform
from epigx.dataset.store import Dataset
from epigx.errors import DatasetError
from epigx.paper.items import Locus, Trained
from epigx.paper.study import Study
from epigx.recipes.models import caduceus_signals, infer
from epigx.runs.gene_selection import SplitName, rows_of

__all__ = ["figure4", "genes_like_figure4"]


def figure4(study: Study) -> Locus:
    """Genes with strong background signals, no foreground and low expression, and what is predicted of them."""
    systems = {}
    for cell_type in study.cell_types:
        found = {
            "Caduceus w/ signals": study.train(caduceus_signals, cell_type),
            "InFER": study.train(infer, cell_type),
        }
        systems[cell_type] = {label: system for label, system in found.items() if isinstance(system, Trained)}
    return Locus(
        "figure4",
        "Figure 4. Background without foreground",
        "The paper shows ENSG00000080561, measured at 0.6021. Here a query over the test chromosomes finds the genes "
        "that come nearest to its pattern: background signals among the strongest, foreground signals and expression "
        "among the weakest. A model that takes background for cause predicts them too high. Signals are drawn as the "
        "models read them, grey is what they read, and one gene in ten exceeds the dashed height; of the gene itself a "
        "dataset knows the TSS and the strand.",
        systems,
    )


def genes_like_figure4(dataset: Dataset, cell_type: str, *, window: int, part: SplitName = "test") -> pd.DataFrame:
    """Rank genes by how strong their background signals are while foreground and expression are weak.

    A gene's score is the lowest of three ranks among the genes of the part, each from 0 to 1: of its mean background
    signals (the lowest of them, so that all are strong), of its mean foreground signals and of its expression, the
    latter two turned around. 1 would be the strongest in every background signal and the weakest in all else.

    Parameters
    ----------
    dataset : Dataset
        Where to look.
    cell_type : str
        The cell type.
    window : int, bp
        Central part over which signals are averaged, after their transforms.
    part : {"train", "valid", "test", "all"}
        Genes to look among.

    Returns
    -------
    DataFrame
        ``row`` (of the dataset), ``gene_id``, ``symbol``, ``chrom``, ``expression`` and ``score``, the best first.

    Raises
    ------
    DatasetError
        The dataset has no background or no foreground signal, or no gene of the part has a label.
    """
    roles = np.array([signal.role for signal in dataset.signals])
    for role in ("background", "foreground"):
        if role not in roles:
            raise DatasetError(
                f"{dataset.path} has no {role} signal, and Figure 4 is about both. Set roles in the manifest."
            )
    rows = rows_of(dataset, part, dataset.split)
    rows = rows[np.isfinite(dataset.expression(cell_type)[rows])]
    if not rows.size:
        raise DatasetError(f"{dataset.path}: no gene of the split {part!r} has a label in {cell_type}.")
    strength = _ranks(_mean_signals(dataset, cell_type, rows, window))
    expression = dataset.expression(cell_type)[rows]
    background = strength[:, roles == "background"].min(axis=1)
    foreground = strength[:, roles == "foreground"].max(axis=1)
    score = np.minimum(background, 1 - np.maximum(foreground, _ranks(expression[:, None])[:, 0]))
    genes = dataset.genes.iloc[rows][["gene_id", "symbol", "chrom"]]
    found = genes.assign(row=rows, expression=expression, score=score).reset_index(drop=True)
    return found.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _mean_signals(dataset: Dataset, cell_type: str, rows: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """Average the transformed signals of each gene over the centre of its window, (gene, signal)."""
    first = dataset.window // 2 - window // 2
    means = np.empty((len(rows), len(dataset.signals)))
    for start in range(0, len(rows), 256):
        some = slice(start, start + 256)
        raw = dataset.signal_values(cell_type)[rows[some], first : first + window].astype(np.float32)
        for place, signal in enumerate(dataset.signals):
            means[some, place] = apply_transform(raw[..., place], signal.transform).mean(axis=1)
    return means


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank each column from 0, the weakest, to 1."""
    ranks: NDArray[np.float64] = (rankdata(values, axis=0) - 1) / max(1, len(values) - 1)
    return ranks
