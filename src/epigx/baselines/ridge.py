"""Ridge regression on binned signals, features and k-mers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from safetensors import SafetensorError
from safetensors.numpy import load, save

from epigx.baselines.columns import Columns
from epigx.dataset.inputs import Inputs
from epigx.dataset.windows import Windows
from epigx.errors import RunError
from epigx.runs.method import FittedModel, Method, Progress, TrainingFacts
from epigx.runs.session import Session
from epigx.runs.training_data import TrainingData
from epigx.system.atomic import atomic_file

__all__ = ["FittedRidge", "Ridge"]

FILE = "ridge.safetensors"


class Ridge(Method):
    """Linear, on standardised columns; the penalty is the one with the lowest error on the validation genes."""

    kind: Literal["ridge"] = "ridge"
    columns: Columns = Columns()
    """What a gene is described by."""
    penalties: tuple[float, ...] = Field(
        default=tuple(float(10**power) for power in np.arange(-1, 4.01, 0.5)), min_length=1
    )
    """Penalties to choose from."""

    def fit(self, data: TrainingData, session: Session) -> FittedRidge:
        """Fit once for each penalty, all from one singular value decomposition of the standardised columns."""
        session.start(data.inputs)
        x, y = self.columns.table(data.train).astype(np.float64), data.train.expression.astype(np.float64)
        mean, scale = x.mean(axis=0), x.std(axis=0)
        scale[np.ptp(x, axis=0) == 0] = 1.0
        left, singular, right = np.linalg.svd((x - mean) / scale, full_matrices=False)
        projected = left.T @ (y - y.mean())
        held_out, observed = self.columns.table(data.valid), data.valid.expression
        fits = []
        for penalty in self.penalties:
            weights = right.T @ (singular / (singular**2 + penalty) * projected)
            fits.append(FittedRidge(self.columns, mean, scale, weights, np.array([y.mean(), penalty])))
        errors = [float(np.mean((fit.apply(held_out) - observed) ** 2)) for fit in fits]
        best = int(np.argmin(errors))
        fits[best].facts = TrainingFacts(steps_done=len(fits), best_step=best + 1)
        return fits[best]

    def load_fitted(self, folder: Path, inputs: Inputs) -> FittedRidge:
        """Read ``ridge.safetensors``."""
        path, width = folder / FILE, len(self.columns.names(inputs))
        try:
            arrays = load(path.read_bytes())
        except (OSError, SafetensorError) as error:
            raise RunError(f"{path} cannot be read: {error}. Copy the run again from the original.") from None
        shapes = {name: array.shape for name, array in arrays.items()}
        if shapes != {"mean": (width,), "scale": (width,), "weights": (width,), "intercept": (2,)}:
            raise RunError(f"{path} does not hold a ridge regression on {width} columns: it is damaged.")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise RunError(
                f"{path} holds a number that is not finite: it is damaged. Copy the run again from the original."
            )
        return FittedRidge(self.columns, **arrays)


class FittedRidge(FittedModel):
    """A fitted ridge regression.

    Parameters
    ----------
    columns : Columns
        What a gene is described by.
    mean, scale, weights : ndarray of float64, (column,)
        Standardisation and coefficients.
    intercept : ndarray of float64, (2,)
        The intercept, and the penalty that was chosen.
    """

    def __init__(
        self,
        columns: Columns,
        mean: NDArray[np.float64],
        scale: NDArray[np.float64],
        weights: NDArray[np.float64],
        intercept: NDArray[np.float64],
    ) -> None:
        self.columns = columns
        self.arrays = {"mean": mean, "scale": scale, "weights": weights, "intercept": intercept}

    def apply(self, table: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Predict from columns, (gene, column) to (gene,)."""
        a = self.arrays
        # Summed row by row, so that a gene's prediction does not depend on the others.
        standard = (table - a["mean"]) / a["scale"]
        return np.asarray(np.einsum("gc,c->g", standard, a["weights"]) + a["intercept"][0], np.float64)

    def predict(
        self, windows: Windows, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Predict expression."""
        return self.apply(self.columns.table(windows, progress))

    def save(self, folder: Path) -> None:
        """Write ``ridge.safetensors``."""
        with atomic_file(folder / FILE) as partial:
            partial.write_bytes(save(self.arrays))

    def parameters(self) -> dict[str, int]:
        """Count coefficients and intercept."""
        return {"coefficients": len(self.arrays["weights"]) + 1}

    def describe(self) -> dict[str, str]:
        """Return the penalty that was chosen."""
        return {"Penalty": f"{self.arrays['intercept'][1]:g}"}
