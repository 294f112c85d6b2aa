"""Gradient boosting on binned signals, features and DNA words."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from epigx.baselines.base import Predict, Reference, sklearn
from epigx.baselines.columns import Columns
from epigx.dataset.windows import Windows

__all__ = ["GradientBoosting"]


class GradientBoosting(Reference):
    """Histogram gradient boosting, as many trees as serve the validation genes best."""

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

    def fit(self, train: Windows, valid: Windows) -> Predict:
        """Grow all trees, then keep the number with the lowest error on the validation genes.

        Raises
        ------
        RunError
            scikit-learn is not installed.
        """
        make = sklearn("ensemble").HistGradientBoostingRegressor
        settings = {
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.leaves,
            "min_samples_leaf": self.smallest_leaf,
            "l2_regularization": self.l2,
            "early_stopping": False,
            "random_state": 0,  # draws genes for the histograms of more than 200,000
        }
        x = self.columns.of(train)
        grown = make(max_iter=self.trees, **settings).fit(x, train.expression)
        stages = grown.staged_predict(self.columns.of(valid))
        errors = [float(np.mean((predicted - valid.expression) ** 2)) for predicted in stages]
        best = make(max_iter=int(np.argmin(errors)) + 1, **settings).fit(x, train.expression)
        return lambda windows: np.asarray(best.predict(self.columns.of(windows)), np.float64)
