"""What holds the correlation back on real data: the genes, the inputs, the cell types or the model.

    python studies/real/limits.py data/real20k data/marks20k --study runs/study --into studies/real/limits.md

Gradient boosting, since it takes seconds, fitted on K562 and scored on its validation genes: with a part of the
training genes, with those of both cell types, with windows of other lengths, with other inputs. And from the scores of
the long study: whether the systems err on the same genes, and on which.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from references import genes_by_split
from scores import interval, markdown, predictions

import epigx as gx
from epigx.baselines import FittedTrees, GradientBoosting
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.manifest.split import fold
from epigx.dataset.windows import Windows
from epigx.metrics import bootstrap, metrics
from epigx.runs.config import RunConfig
from epigx.runs.session import Session
from epigx.runs.training_data import TrainingData
from epigx.system.shutdown import Interruption

CELL_TYPE, OTHER = "K562", "GM12878"
DRAWS = 5
FRACTIONS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
WINDOWS = (500, 2_000, 5_120, 10_240, 20_480)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help="datasets with the same genes and other signals")
    parser.add_argument("--study", type=Path, required=True, help="folder of study.py, on the first dataset")
    parser.add_argument("--into", type=Path, required=True, help="page to write")
    arguments = parser.parse_args()
    first = arguments.data[0]
    parts = ["<!-- made by studies/real/limits.py -->"]
    for title, table in (
        ("Gradient boosting with fewer training genes", fewer_genes(first)),
        ("Gradient boosting with other inputs", other_inputs(arguments.data)),
        ("Gradient boosting on other chromosomes, windows of 2 kb", folds(first)),
        ("Do the systems err on the same genes?", shared_errors(first, arguments.study)),
        ("Where the error is", where(first, arguments.study)),
    ):
        parts += [f"## {title}", "", table, ""]
    arguments.into.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def parts_of(data: Path, cell_types: tuple[str, ...], window: int) -> dict[str, Windows]:
    """Return the training genes of the cell types, and the validation genes of K562."""
    dataset = gx.open_dataset(data)
    rows = genes_by_split(dataset, CELL_TYPE, 0.95)
    inputs = fit_inputs(dataset, cell_types, rows["train"], window=window)
    return {
        "train": Windows(dataset, cell_types, rows["train"], inputs).labelled(),
        "valid": Windows(dataset, CELL_TYPE, rows["valid"], inputs),
    }


def boosting(train: Windows, valid: Windows) -> FittedTrees:
    """Fit boosting on chosen windows; nothing is written."""
    data = TrainingData(train.dataset, train.dataset.split, train.inputs, train, valid, 0, 0)
    method = GradientBoosting()
    config = RunConfig(data={"path": train.dataset.path, "cell_types": [CELL_TYPE]}, method=method)
    session = Session(Path(), config, resume=False, interruption=Interruption(), leads=False, progress=_no_progress)
    return method.fit(data, session)


def _no_progress(*_: object) -> None:
    pass


def fewer_genes(data: Path) -> str:
    """Fit on random parts of the training genes; the number of trees is chosen on the validation genes, as always."""
    parts = parts_of(data, (CELL_TYPE,), 20_480)
    rng = np.random.default_rng(0)
    rows = []
    for fraction in FRACTIONS:
        size = round(fraction * len(parts["train"]))
        scores = []
        for _ in range(DRAWS if fraction < 1 else 1):
            some = parts["train"].only(np.sort(rng.permutation(len(parts["train"]))[:size]))
            predicted = boosting(some, parts["valid"]).predict(parts["valid"])
            scores.append(metrics(parts["valid"].expression, predicted).pearson)
        rows.append({"training genes": f"{size:,}", "draws": len(scores), "r, validation": f"{np.mean(scores):.3f}"})
    return markdown(rows)


def other_inputs(data: list[Path]) -> str:
    """Vary one thing at a time; all on the same validation genes."""
    rows = []
    for path in data:
        names = tuple(signal.name for signal in gx.open_dataset(path).signals)
        largest = gx.open_dataset(path).window
        for window in (w for w in WINDOWS if w <= largest):
            rows.append(_scored(path, (CELL_TYPE,), window, names))
        rows.append(_scored(path, (CELL_TYPE, OTHER), largest, names))
    return markdown(rows)


def _scored(path: Path, cell_types: tuple[str, ...], window: int, signals: tuple[str, ...]) -> dict[str, object]:
    parts = parts_of(path, cell_types, window)
    predicted = boosting(parts["train"], parts["valid"]).predict(parts["valid"])
    score = bootstrap(parts["valid"].expression, predicted)
    return {
        "signals": ", ".join(signals),
        "trained on": " and ".join(cell_types),
        "window, bp": f"{window:,}",
        "r, validation": interval(score["pearson"]),
        "MSE, validation": interval(score["mse"]),
    }


def folds(data: Path) -> str:
    """Fit on each of the twelve folds that `epigx train --fold` knows, and score each part of it."""
    rows = []
    for number in range(1, 13):
        split = fold(number)
        config = gx.recipes.infer(data=data, cell_type=CELL_TYPE).override(
            "data.min_dna_coverage=0.95", "data.coverage_window=2000"
        )
        config = RunConfig(data=config.data.model_copy(update={"split": split}), method=GradientBoosting())
        with tempfile.TemporaryDirectory() as folder:
            run = gx.train(config, Path(folder) / "run")
            each = {part: gx.evaluate(run, split=part, bootstrap=0).metrics for part in ("valid", "test")}
        rows.append(
            {
                "fold": str(number),
                "test": ", ".join(split.test),
                "genes": f"{each['test'].n_genes:,}",
                "r, validation": f"{each['valid'].pearson:.3f}",
                "r, test": f"{each['test'].pearson:.3f}",
                "MSE, test": f"{each['test'].mse:.3f}",
            }
        )
    return markdown(rows)


def shared_errors(data: Path, study: Path) -> str:
    """Correlate the errors of each system with those of boosting, on validation genes; and average the two."""
    found = predictions(data, study, CELL_TYPE, "valid")
    trees = found["gradient boosting"]
    error = trees.drop(columns="observed").mean(axis=1) - trees["observed"]
    rows = []
    for system, table in found.items():
        own = table.drop(columns="observed").mean(axis=1)
        both = own.index.intersection(error.index)
        if len(both) < len(error) or system == "gradient boosting":
            continue
        mean = (own.loc[both] + trees.loc[both].drop(columns="observed").mean(axis=1)) / 2
        observed = trees.loc[both, "observed"].to_numpy()
        shared = np.corrcoef(own.loc[both] - observed, error.loc[both])[0, 1]
        rows.append(
            {
                "system": system,
                "r of its errors with boosting's": f"{shared:.3f}",
                "r, alone": f"{metrics(observed, own.loc[both].to_numpy()).pearson:.3f}",
                "r, mean with boosting": f"{metrics(observed, mean.to_numpy()).pearson:.3f}",
            }
        )
    return markdown(rows)


def where(data: Path, study: Path) -> str:
    """Divide the squared error of boosting and InFER on validation genes by what was measured."""
    found = predictions(data, study, CELL_TYPE, "valid")
    rows = []
    for system in ("gradient boosting", "infer"):
        table = found[system]
        observed = table["observed"]
        error = (table.drop(columns="observed").mean(axis=1) - observed) ** 2
        bins = pd.cut(observed, [-np.inf, 0.0, 0.5, 1.0, 1.5, np.inf])
        for name, own in error.groupby(bins, observed=True):
            rows.append(
                {
                    "system": system,
                    "log10(TPM + 1)": "0" if name.right == 0 else f"{max(name.left, 0):g} to {name.right:g}",
                    "genes": len(own),
                    "MSE": f"{own.mean():.3f}",
                    "share of all error": f"{own.sum() / error.sum():.0%}",
                }
            )
    return markdown(rows)


if __name__ == "__main__":
    main()
