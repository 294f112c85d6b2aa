"""Figure 4 of the paper: single genes with their signals and predictions, and the query that finds such genes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from epigx.dataset.signals import apply_transform
from epigx.dataset.store import Dataset
from epigx.errors import DatasetError
from epigx.paper import figures
from epigx.paper.pages import Contents, Section, describe_study, is_simulated
from epigx.paper.plan import TableOrFigure
from epigx.paper.scores import Row, predict_test_genes, spread
from epigx.paper.study import Study, System
from epigx.recipes.models import caduceus_signals, infer
from epigx.report.tables import Table
from epigx.runs.gene_selection import rows_of

__all__ = ["GenePanel", "PanelGene", "figure4", "genes_like_figure4"]

SURROUNDINGS = 10
"""The figure shows up to this many times the models' window, if the dataset's windows are that long."""

Values = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class PanelGene:
    """A gene of the figure."""

    cell_type: str
    gene_id: str
    symbol: str
    chrom: str
    strand: str
    tss: int  # 0-based
    score: float  # how well it matches the pattern, at most 1
    window: int  # bp that the models read
    neighbours: tuple[tuple[int, str, str], ...]  # other TSSs nearby: distance in bp, strand, symbol
    signals: Mapping[str, Values]  # transformed, around the TSS, (length,)
    tops: Mapping[str, float]  # height that each signal exceeds around one gene in ten
    observed: float  # log10(1 + x)
    predicted: Mapping[str, Values]  # log10(1 + x), by system, (seed,)


@dataclass(frozen=True)
class GenePanel(TableOrFigure):
    """Single genes: their signals, their expression and their predictions."""

    study: Study  # what the systems are trained on
    shown: Mapping[str, Mapping[str, System]]  # by cell type and label: the systems whose predictions are shown
    n_genes: int = 2  # genes shown per cell type

    @property
    def systems(self) -> tuple[System, ...]:
        """The systems whose predictions are shown."""
        return tuple(system for systems in self.shown.values() for system in systems.values())

    def contents(self, out: Path, command: str, failures: Mapping[str, str]) -> Contents:
        """Find the genes, predict them by the finished runs and return the contents of the page."""
        return self.layout(self.find_genes(out), command)

    def layout(self, genes: Sequence[PanelGene], command: str) -> Contents:
        """Return the page of genes that were found."""
        drawn = {f"{gene.cell_type}-{gene.gene_id}": figures.gene_panel(gene) for gene in genes}
        return Contents(
            self.name, self.title, self.caption, (Section("", _table(genes), drawn),), _frame(genes),
            about=describe_study(self.study, command), simulated=is_simulated(self.study),
        )  # fmt: skip

    def find_genes(self, out: Path) -> list[PanelGene]:
        """Return the test genes that match the pattern best, a few per cell type."""
        found, dataset = [], self.study.dataset
        for cell_type, systems in self.shown.items():
            window = min(system.window or dataset.window for system in systems.values())
            tables = {
                label: predict_test_genes(Row(label, cell_type, system), dataset, out)
                for label, system in systems.items()
            }
            genes = genes_like_figure4(dataset, cell_type, window=window)
            shown = min(dataset.window, SURROUNDINGS * window)
            tops = _tops(dataset, cell_type, genes["row"].to_numpy(), shown)
            for gene in genes.head(self.n_genes).to_dict("records"):
                row, gene_id = int(gene["row"]), str(gene["gene_id"])
                found.append(
                    PanelGene(
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
        return found


def figure4(study: Study) -> GenePanel:
    """Return genes with strong background signals, weak foreground signals and low expression."""
    shown = {
        cell_type: {
            "Caduceus w/ signals": study.system(caduceus_signals, cell_type),
            "InFER": study.system(infer, cell_type),
        }
        for cell_type in study.cell_types
    }
    return GenePanel(
        "figure4",
        "Figure 4. Background without foreground",
        "The paper shows ENSG00000080561, with a measured expression of 0.6021. The genes here are the test genes that "
        "match its pattern best: background signals among the strongest, foreground signals and expression among the "
        "weakest. A model that mistakes background for a cause predicts them too high. Signals are transformed as for "
        "the models; the grey area is the window that the models read; around one gene in ten the signal is higher "
        "than the dashed line. Arrows mark TSS and strand; a dataset has no exons.",
        study,
        shown,
    )


def genes_like_figure4(dataset: Dataset, cell_type: str, *, window: int) -> pd.DataFrame:
    """Rank genes by how strong their background signals are while foreground and expression are weak.

    A gene's score is the lowest of three ranks among the test genes, each from 0 to 1: of its mean background
    signals (the lowest of them, so that all are strong), and the reversed ranks of its mean foreground signals and of
    its expression. 1 means the strongest in every background signal and the weakest in all others.

    Parameters
    ----------
    window : int, bp
        Centre over which the transformed signals are averaged.

    Returns
    -------
    DataFrame
        ``row`` (of the dataset), ``gene_id``, ``symbol``, ``chrom``, ``expression`` and ``score``, the best first.

    Raises
    ------
    DatasetError
        The dataset has no background or no foreground signal, or no test gene has a label.
    """
    roles = np.array([signal.role for signal in dataset.signals])
    for role in ("background", "foreground"):
        if role not in roles:
            raise DatasetError(
                f"{dataset.path} has no {role} signal, and Figure 4 needs both roles. Set roles in the manifest."
            )
    rows = rows_of(dataset, "test", dataset.split)
    rows = rows[np.isfinite(dataset.expression(cell_type)[rows])]
    if not rows.size:
        raise DatasetError(f"{dataset.path}: no gene of the split 'test' has a label in {cell_type}.")
    strength = _ranks(_mean_signals(dataset, cell_type, rows, window))
    expression = dataset.expression(cell_type)[rows]
    background = strength[:, roles == "background"].min(axis=1)
    foreground = strength[:, roles == "foreground"].max(axis=1)
    score = np.minimum(background, 1 - np.maximum(foreground, _ranks(expression[:, None])[:, 0]))
    genes = dataset.genes.iloc[rows][["gene_id", "symbol", "chrom"]]
    found = genes.assign(row=rows, expression=expression, score=score).reset_index(drop=True)
    return found.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _mean_signals(dataset: Dataset, cell_type: str, rows: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """Average each gene's transformed signals over the centre of its window, (gene, signal)."""
    first = dataset.window // 2 - window // 2
    means = np.empty((len(rows), len(dataset.signals)))
    for start in range(0, len(rows), 256):
        some = slice(start, start + 256)
        raw = dataset.signal_values(cell_type)[rows[some], first : first + window].astype(np.float32)
        for index, signal in enumerate(dataset.signals):
            means[some, index] = apply_transform(raw[..., index], signal.transform).mean(axis=1)
    return means


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank each column from 0, the weakest, to 1."""
    ranks: NDArray[np.float64] = (rankdata(values, axis=0) - 1) / max(1, len(values) - 1)
    return ranks


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
        signal.name: apply_transform(raw[:, index], signal.transform) for index, signal in enumerate(dataset.signals)
    }


def _tops(dataset: Dataset, cell_type: str, rows: NDArray[np.int64], window: int) -> dict[str, float]:
    """Return the height that each signal exceeds around one gene in ten; of at most about 256 genes."""
    some = rows[:: max(1, len(rows) // 256)]
    heights = [
        {name: values.max() for name, values in _signals(dataset, cell_type, int(row), window).items()} for row in some
    ]
    return {signal.name: float(np.quantile([one[signal.name] for one in heights], 0.9)) for signal in dataset.signals}


def _table(genes: Sequence[PanelGene]) -> Table:
    labels = list(dict.fromkeys(label for gene in genes for label in gene.predicted))
    rows = []
    for gene in genes:
        cells = [spread(*_mean_sd(gene.predicted.get(label))) for label in labels]
        where = f"{gene.chrom}:{gene.tss + 1:,} ({gene.strand})"
        rows.append(
            (gene.cell_type, gene.symbol, gene.gene_id, where, f"{gene.score:.2f}", f"{gene.observed:.4f}", *cells)
        )
    return Table(("Cell type", "Gene", "Identifier", "TSS", "Match", "Observed", *labels), tuple(rows))


def _mean_sd(values: Values | None) -> tuple[float, float | None]:
    if values is None or not len(values):
        return float("nan"), None
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def _frame(genes: Sequence[PanelGene]) -> pd.DataFrame:
    records = []
    for gene in genes:
        record: dict[str, object] = {
            "cell_type": gene.cell_type, "gene_id": gene.gene_id, "symbol": gene.symbol, "chrom": gene.chrom,
            "tss": gene.tss, "strand": gene.strand, "match": gene.score, "observed": gene.observed,
        }  # fmt: skip
        for label, values in gene.predicted.items():
            name = label.lower().replace(" w/ ", " ").replace(" ", "_")
            record[name], record[f"{name}_sd"] = _mean_sd(values)
        records.append(record)
    return pd.DataFrame(records)
