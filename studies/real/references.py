"""Ridge and gradient boosting on the genes and inputs that a network reads: the bar that it has to clear.

    python studies/real/references.py data/real --cell-type K562 --window 2000 -o runs/references

Signals are transformed as the dataset says and averaged in bins over the window; the features are those of the head;
DNA enters as counts of k-mers on both strands. The ridge has its penalty chosen on the validation chromosomes; boosting
has fixed settings. Prints one row per system and split, for several sets of inputs; `epigx reproduce table1` sets
references beside networks.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import epigx as gx
from epigx.baselines.columns import Columns
from epigx.dataset.inputs import Inputs, fit_inputs
from epigx.dataset.store import Dataset
from epigx.dataset.windows import Windows
from epigx.metrics import bootstrap
from epigx.runs.gene_selection import rows_of

COLUMNS = Columns(bins=20, kmer=3)
DNA_WINDOW = 2000
ALPHAS = np.logspace(-1, 4, 11)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cell-type", required=True)
    parser.add_argument("--window", type=int, default=2000)
    parser.add_argument("--min-dna-coverage", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("-o", "--out", type=Path)
    arguments = parser.parse_args()

    dataset = gx.open_dataset(arguments.data)
    splits = genes_by_split(dataset, arguments.cell_type, arguments.min_dna_coverage)
    inputs = fit_inputs(dataset, (arguments.cell_type,), splits["train"], window=arguments.window)
    tables = {name: describe(dataset, arguments.cell_type, index, inputs) for name, index in splits.items()}
    rows = []
    for name, columns in subsets(tables["train"][0]).items():
        for system, fit in (("ridge", fit_ridge), ("gradient boosting", fit_boosting)):
            start = time.process_time()
            model = fit({k: (x[columns], y) for k, (x, y, _) in tables.items()}, arguments.seed)
            seconds = time.process_time() - start
            for split in ("valid", "test"):
                x, y, gene_id = tables[split]
                predicted = model.predict(x[columns])
                rows.append(row(system, name, split, y, predicted, seconds))
                if arguments.out:
                    save(arguments.out, f"{system} {name} {split}", gene_id, y, predicted)
    print(pd.DataFrame(rows).to_string(index=False))


def genes_by_split(
    dataset: Dataset, cell_type: str, min_dna_coverage: float, *, labelled: bool = True
) -> dict[str, np.ndarray]:
    """Return the rows of the genes whose central 2 kb of DNA are known, by part of the split."""
    parts = {}
    for part in ("train", "valid", "test"):
        rows = rows_of(dataset, part, dataset.split, min_dna_coverage=min_dna_coverage, coverage_window=DNA_WINDOW)
        parts[part] = rows[np.isfinite(dataset.expression(cell_type)[rows])] if labelled else rows
    return parts


def describe(
    dataset: Dataset, cell_type: str, index: np.ndarray, inputs: Inputs
) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    """Return one row of binned signals, features and k-mer counts per gene, the labels, and the gene ids."""
    windows = Windows(dataset, cell_type, index, inputs)
    table = pd.DataFrame(COLUMNS.of(windows), columns=COLUMNS.names(inputs))
    return table, dataset.expression(cell_type)[index], windows.gene_id


def subsets(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns of each set of inputs that is compared."""
    signals = [c for c in table if c.startswith("signal:")]
    features = [c for c in table if c.startswith("feature:")]
    dna = [c for c in table if c.startswith("dna:")]
    return {
        "signals + features": signals + features,
        "signals + features + DNA": signals + features + dna,
        "DNA + features": dna + features,
    }


def fit_ridge(tables: dict[str, tuple[pd.DataFrame, np.ndarray]], seed: int) -> Pipeline:
    (x, y), (x_valid, y_valid) = tables["train"], tables["valid"]
    fits = [make_pipeline(StandardScaler(), Ridge(alpha)).fit(x, y) for alpha in ALPHAS]
    return min(fits, key=lambda fit: float(np.mean((fit.predict(x_valid) - y_valid) ** 2)))


def fit_boosting(tables: dict[str, tuple[pd.DataFrame, np.ndarray]], seed: int) -> HistGradientBoostingRegressor:
    x, y = tables["train"]
    return HistGradientBoostingRegressor(
        max_iter=300, learning_rate=0.05, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
    ).fit(x, y)


def row(
    system: str, columns: str, split: str, observed: np.ndarray, predicted: np.ndarray, seconds: float
) -> dict[str, object]:
    score = bootstrap(observed, predicted)
    pearson = score["pearson"]
    return {
        "system": system,
        "inputs": columns,
        "split": split,
        "genes": len(observed),
        "mse": round(score["mse"].value, 4),
        "mae": round(score["mae"].value, 4),
        "pearson": round(pearson.value, 4),
        "95 %": f"{pearson.low:.3f} to {pearson.high:.3f}",
        "spearman": round(score["spearman"].value, 4),
        "cpu s": round(seconds, 1),
    }


def save(folder: Path, name: str, gene_id: tuple[str, ...], observed: np.ndarray, predicted: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"gene_id": gene_id, "observed": observed, "predicted": predicted})
    table.to_csv(folder / f"{name.replace(' + ', '+').replace(' ', '_')}.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
