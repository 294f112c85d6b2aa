"""Gradient boosting on binned signals, features and k-mers, by LightGBM."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from epigx.baselines.columns import Columns
from epigx.dataset.inputs import Inputs
from epigx.dataset.windows import Windows
from epigx.errors import RunError
from epigx.runs.method import FittedModel, Method, Progress, TrainingFacts
from epigx.runs.session import Session
from epigx.runs.training_data import TrainingData
from epigx.system.atomic import atomic_file

__all__ = ["FittedTrees", "GradientBoosting"]

FILE = "trees.txt"


class GradientBoosting(Method):
    """Histogram gradient boosting, with the number of trees that has the lowest error on the validation genes."""

    packages: ClassVar[tuple[str, ...]] = ("lightgbm",)

    kind: Literal["gradient_boosting"] = "gradient_boosting"
    columns: Columns = Columns()
    """What a gene is described by."""
    trees: int = Field(default=300, ge=1)
    """Most trees to grow."""
    learning_rate: float = Field(default=0.05, gt=0)
    """Shrinkage of each tree."""
    leaves: int = Field(default=15, ge=2)
    """Most leaves of a tree."""
    smallest_leaf: int = Field(default=20, ge=1)
    """Fewest genes in a leaf."""
    l2: float = Field(default=1.0, ge=0)
    """Penalty on the leaves' values."""

    def fit(self, data: TrainingData, session: Session) -> FittedTrees:
        """Grow all trees, then keep the number with the lowest error on the validation genes; nothing is random."""
        import lightgbm

        session.start(data.inputs)
        names = [f"column{number}" for number in range(len(self.columns.names(data.inputs)))]
        train = lightgbm.Dataset(
            self.columns.table(data.train), data.train.expression, feature_name=names, params={"verbosity": -1}
        )
        valid = train.create_valid(self.columns.table(data.valid), data.valid.expression)
        errors: dict[str, Any] = {}
        settings = {
            "objective": "regression",
            "metric": "l2",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.smallest_leaf,
            "lambda_l2": self.l2,
            # One thread sums each histogram, so the trees do not depend on the number of threads.
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }
        record = lightgbm.record_evaluation(errors)

        def report(step: Any) -> None:
            session.progress(step.iteration + 1, self.trees, {"valid_mse": step.evaluation_result_list[0][2]})

        booster = lightgbm.train(
            settings, train, self.trees, valid_sets=[valid], valid_names=["valid"], callbacks=[record, report]
        )
        best = int(np.argmin(errors["valid"]["l2"])) + 1
        fitted = FittedTrees(booster.model_to_string(num_iteration=best), self.columns)
        fitted.facts = TrainingFacts(steps_done=self.trees, best_step=best)
        return fitted

    def load_fitted(self, folder: Path, inputs: Inputs) -> FittedTrees:
        """Read ``trees.txt``, LightGBM's own text format."""
        path = folder / FILE
        try:
            fitted = FittedTrees(path.read_text(), self.columns)
        except (OSError, ValueError) as error:
            raise RunError(f"{path} cannot be read: {error}. Copy the run again from the original.") from None
        if (found := fitted.booster.num_feature()) != (wanted := len(self.columns.names(inputs))):
            raise RunError(f"{path} has trees on {found} columns, and the run's inputs give {wanted}: it is damaged.")
        return fitted


class FittedTrees(FittedModel):
    """Trees, and the columns that they read.

    Parameters
    ----------
    text : str
        The trees in LightGBM's text format. A new model and one read from a file are both made from it, so that they
        predict the same bits.
    columns : Columns
        What a gene is described by.

    Raises
    ------
    ValueError
        The text is no such model.
    """

    def __init__(self, text: str, columns: Columns) -> None:
        import lightgbm

        # LightGBM may end the process on a truncated text.
        if not text.startswith("tree\n") or "\nend of trees" not in text:
            raise ValueError("it is not a complete LightGBM model")
        if not all(
            np.isfinite([float(value) for value in line.split()]).all() for line in _values(text, "leaf_value=")
        ):
            raise ValueError("a leaf has a value that is not finite")
        try:
            self.booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise ValueError(str(error)) from None
        self.text = text
        self.columns = columns

    def predict(
        self, windows: Windows, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Predict expression by the sum of the trees."""
        if not len(windows):
            return np.zeros(0)
        return np.asarray(self.booster.predict(self.columns.table(windows, progress)), np.float64)

    def save(self, folder: Path) -> None:
        """Write ``trees.txt``."""
        with atomic_file(folder / FILE) as partial:
            partial.write_text(self.text)

    def parameters(self) -> dict[str, int]:
        """Count the trees' leaves."""
        return {"leaves": self.text.count("\nTree=") and sum(map(int, _values(self.text, "num_leaves=")))}

    def describe(self) -> dict[str, str]:
        """Return the number of trees."""
        return {"Trees": f"{self.booster.num_trees():,}"}


def _values(text: str, key: str) -> list[str]:
    return [line.removeprefix(key) for line in text.splitlines() if line.startswith(key)]
