"""Ridge regression on binned signals, features and DNA words."""

from __future__ import annotations

from typing import Literal

import numpy as np

from epigx.baselines.base import Predict, Reference, sklearn
from epigx.baselines.columns import Columns
from epigx.dataset.windows import Windows

__all__ = ["Ridge"]


class Ridge(Reference):
    """Linear, on standardised columns; the penalty is the one with the lowest error on the validation genes."""

    kind: Literal["ridge"] = "ridge"
    columns: Columns = Columns()
    """What a gene is described by."""
    penalties: tuple[float, ...] = tuple(float(10**power) for power in np.arange(-1, 4.01, 0.5))
    """Penalties to choose from."""

    def fit(self, train: Windows, valid: Windows) -> Predict:
        """Fit once for each penalty.

        Raises
        ------
        RunError
            scikit-learn is not installed.
        """
        linear, scaling, pipeline = sklearn("linear_model"), sklearn("preprocessing"), sklearn("pipeline")
        x, held_out = self.columns.of(train), self.columns.of(valid)
        fits = [
            pipeline.make_pipeline(scaling.StandardScaler(), linear.Ridge(alpha=penalty)).fit(x, train.expression)
            for penalty in self.penalties
        ]
        errors = [float(np.mean((fit.predict(held_out) - valid.expression) ** 2)) for fit in fits]
        best = fits[int(np.argmin(errors))]
        return lambda windows: np.asarray(best.predict(self.columns.of(windows)), np.float64)
