"""The genes of Figure 4: found by their pattern, with their signals and what is predicted of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from epigx.dataset.signals import apply_transform
from epigx.dataset.store import Dataset
from epigx.paper.figure4 import genes_like_figure4
from epigx.paper.items import Locus, Row
from epigx.paper.pages import LocusGene
from epigx.paper.predictions import predictions_of

__all__ = ["find_genes"]

SURROUNDINGS = 10
"""How many times the models' window is shown, where the dataset holds as much."""


def find_genes(exhibit: Locus, dataset: Dataset, out: Path) -> tuple[LocusGene, ...]:
    """Return the genes of the test chromosomes that come nearest to the exhibit's pattern, a few a cell type."""
    found = []
    for cell_type, systems in exhibit.systems.items():
        window = min((system.window for system in systems.values()), default=dataset.window)
        tables = {
            label: predictions_of(Row(label, cell_type, system), dataset, out) for label, system in systems.items()
        }
        genes = genes_like_figure4(dataset, cell_type, window=window)
        shown = min(dataset.window, SURROUNDINGS * window)
        tops = _tops(dataset, cell_type, genes["row"].to_numpy(), shown)
        for gene in genes.head(exhibit.genes).to_dict("records"):
            row, gene_id = int(gene["row"]), str(gene["gene_id"])
            found.append(
                LocusGene(
                    cell_type=cell_type,
                    gene_id=gene_id,
                    symbol=str(gene["symbol"]),
                    chrom=str(gene["chrom"]),
                    strand=str(dataset.genes["strand"].iloc[row]),
                    tss=int(dataset.genes["tss"].iloc[row]),
                    score=float(gene["score"]),
                    window=window,
                    neighbours=_neighbours(dataset, row, shown),
                    signals=_signals(dataset, cell_type, row, shown),
                    tops=tops,
                    observed=float(gene["expression"]),
                    predicted={
                        label: table.loc[gene_id].drop("observed").to_numpy(np.float64)
                        for label, table in tables.items()
                        if gene_id in table.index
                    },
                )
            )
    return tuple(found)


def _neighbours(dataset: Dataset, row: int, window: int) -> tuple[tuple[int, str, str], ...]:
    """Return the other TSSs around a gene: distance, strand, symbol."""
    genes, chrom, tss = dataset.genes, dataset.genes["chrom"].iloc[row], int(dataset.genes["tss"].iloc[row])
    near = genes[(genes["chrom"] == chrom) & ((genes["tss"] - tss).abs() < window // 2)].drop(genes.index[row])
    return tuple((int(one["tss"]) - tss, str(one["strand"]), str(one["symbol"])) for one in near.to_dict("records"))


def _signals(dataset: Dataset, cell_type: str, row: int, window: int) -> dict[str, NDArray[np.float32]]:
    """Return the transformed signals around a gene."""
    first = dataset.window // 2 - window // 2
    raw = dataset.signal_values(cell_type)[row, first : first + window].astype(np.float32)
    return {
        signal.name: apply_transform(raw[:, place], signal.transform) for place, signal in enumerate(dataset.signals)
    }


def _tops(dataset: Dataset, cell_type: str, rows: NDArray[np.int64], window: int) -> dict[str, float]:
    """Return the height that each signal exceeds around one gene in ten, looking at 256 genes at most."""
    some = rows[:: max(1, len(rows) // 256)]
    heights = [
        {name: values.max() for name, values in _signals(dataset, cell_type, int(row), window).items()} for row in some
    ]
    return {signal.name: float(np.quantile([one[signal.name] for one in heights], 0.9)) for signal in dataset.signals}
