"""LightGBM beside XGBoost as the library of `epigx train boosting`: error on validation genes, and CPU time.

    pip install xgboost-cpu
    python studies/real/libraries.py data/marks --into studies/real/libraries.md

Both grow the same number of trees of the same size on the same columns, for each of the twelve folds of chromosomes,
with one thread. The number of trees is chosen on the fold's validation genes, of which the error is given.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import lightgbm
import numpy as np
import xgboost
from scipy import stats
from scores import markdown

import epigx as gx
from epigx.baselines import GradientBoosting
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.manifest.split import fold
from epigx.dataset.windows import Windows

METHOD = GradientBoosting()
FOLDS = range(1, 13)


class Genes(NamedTuple):
    """Columns and labels of some genes."""

    columns: np.ndarray
    expression: np.ndarray


class Score(NamedTuple):
    """Mean squared error on validation genes, and CPU seconds of all trees."""

    mse: float
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cell-types", nargs="+", default=["K562", "GM12878"])
    parser.add_argument("--into", type=Path, required=True, help="page to write")
    arguments = parser.parse_args()
    scores: dict[str, list[Score]] = {"LightGBM": [], "XGBoost": []}
    for cell_type in arguments.cell_types:
        for number in FOLDS:
            train, valid = genes(arguments.data, cell_type, number)
            scores["LightGBM"].append(with_lightgbm(train, valid))
            scores["XGBoost"].append(with_xgboost(train, valid))
            print(cell_type, "fold", number, {name: f"{found[-1].mse:.4f}" for name, found in scores.items()})
    versions = {"LightGBM": lightgbm.__version__, "XGBoost": xgboost.__version__}
    rows = [
        {
            "library": f"{name} {versions[name]}",
            "MSE, validation, mean of folds": f"{np.mean([score.mse for score in found]):.4f}",
            "CPU-s, median of folds": f"{median(score.seconds for score in found):.1f}",
        }
        for name, found in scores.items()
    ]
    differences = [b.mse - a.mse for a, b in zip(scores["LightGBM"], scores["XGBoost"], strict=True)]
    low, high = stats.t.interval(0.95, len(differences) - 1, loc=np.mean(differences), scale=stats.sem(differences))
    paired = (
        f"XGBoost's error minus LightGBM's, paired over {len(differences)} folds of "
        f"{' and '.join(arguments.cell_types)}: {np.mean(differences):+.4f}, 95 % interval {low:+.4f} to {high:+.4f} "
        "(Student's t; folds share training genes, so it is too narrow)."
    )
    page = ["<!-- made by studies/real/libraries.py -->", "# LightGBM beside XGBoost", "", markdown(rows), "", paired]
    arguments.into.write_text("\n".join(page) + "\n", encoding="utf-8")


def genes(data: Path, cell_type: str, number: int) -> tuple[Genes, Genes]:
    """Return the training and validation genes of a fold."""
    dataset = gx.open_dataset(data)
    split = fold(number).of(dataset.genes["chrom"].to_numpy())
    inputs = fit_inputs(dataset, (cell_type,), np.flatnonzero(split == "train"))
    parts = []
    for name in ("train", "valid"):
        windows = Windows(dataset, (cell_type,), np.flatnonzero(split == name), inputs).labelled()
        parts.append(Genes(METHOD.columns.table(windows), windows.expression))
    return parts[0], parts[1]


def with_lightgbm(train: Genes, valid: Genes) -> Score:
    """Grow trees as `epigx train boosting` does."""
    errors: dict[str, dict[str, list[float]]] = {}
    start = time.process_time()
    own = lightgbm.Dataset(*train)
    settings = {
        "objective": "regression",
        "metric": "l2",
        "learning_rate": METHOD.learning_rate,
        "num_leaves": METHOD.leaves,
        "min_data_in_leaf": METHOD.smallest_leaf,
        "lambda_l2": METHOD.l2,
        "force_col_wise": True,
        "verbosity": -1,
        "num_threads": 1,
    }
    callbacks = [lightgbm.record_evaluation(errors)]
    held_out = own.create_valid(*valid)
    lightgbm.train(settings, own, METHOD.trees, valid_sets=[held_out], valid_names=["valid"], callbacks=callbacks)
    return Score(min(errors["valid"]["l2"]), time.process_time() - start)


def with_xgboost(train: Genes, valid: Genes) -> Score:
    """Grow trees with the same number of leaves, of the best split first, as LightGBM does."""
    errors: dict[str, dict[str, list[float]]] = {}
    start = time.process_time()
    own, held_out = (xgboost.DMatrix(columns, label=labels, nthread=1) for columns, labels in (train, valid))
    settings = {
        "objective": "reg:squarederror",
        "eval_metric": "rmse",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "max_depth": 0,
        "max_leaves": METHOD.leaves,
        "eta": METHOD.learning_rate,
        "min_child_weight": METHOD.smallest_leaf,
        "lambda": METHOD.l2,
        "nthread": 1,
    }
    evals = [(held_out, "valid")]
    xgboost.train(settings, own, METHOD.trees, evals=evals, evals_result=errors, verbose_eval=False)
    return Score(min(errors["valid"]["rmse"]) ** 2, time.process_time() - start)


if __name__ == "__main__":
    main()
