"""A straight line from the activity of the promoter, as in the Activity-by-Contact model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from epigx.dataset.inputs import Inputs
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError, RunError
from epigx.runs.method import FittedModel, Method, Progress
from epigx.runs.session import Session
from epigx.runs.training_data import TrainingData
from epigx.system.atomic import atomic_file

__all__ = ["FittedLine", "PromoterActivity"]

FILE = "line.json"


class PromoterActivity(Method):
    """A straight line from log10(1 + activity) to log10(1 + x).

    The activity is √(H3K27ac × accessibility) of TSS ± 500 bp (Fulco et al., 2019), as the dataset holds it.
    """

    kind: Literal["promoter_activity"] = "promoter_activity"
    feature: str = "promoter_activity"
    """Name of the dataset's feature."""

    @property
    def required_features(self) -> frozenset[str]:
        """The feature."""
        return frozenset({self.feature})

    def fit(self, data: TrainingData, session: Session) -> FittedLine:
        """Fit slope and intercept by least squares; there is nothing to choose.

        Raises
        ------
        DatasetError
            The dataset has no such feature.
        """
        x, y = _log_activity(data.train, self.feature), data.train.expression
        session.start(data.inputs)
        known = np.isfinite(x)
        typical = float(x[known].mean()) if known.any() else 0.0
        slope, intercept = 0.0, float(y.mean())
        if known.any() and np.ptp(x[known]) > 0:
            slope, intercept = (float(value) for value in np.polyfit(x[known], y[known], 1))
        return FittedLine(self.feature, slope, intercept, typical)

    def load_fitted(self, folder: Path, inputs: Inputs) -> FittedLine:
        """Read ``line.json``."""
        path = folder / FILE
        try:
            values = json.loads(path.read_text())
            line = FittedLine(self.feature, *(float(values[key]) for key in ("slope", "intercept", "typical")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path} cannot be read: {error}. Copy the run again from the original.") from None
        if not all(map(math.isfinite, (line.slope, line.intercept, line.typical))):
            raise RunError(
                f"{path} holds a number that is not finite: it is damaged. Copy the run again from the original."
            )
        return line


class FittedLine(FittedModel):
    """A fitted line.

    Parameters
    ----------
    feature : str
        Name of the dataset's feature.
    slope, intercept : float
        The line, in log10(1 + activity).
    typical : float
        Log activity to assume for a gene without a value: the mean of the training genes.
    """

    def __init__(self, feature: str, slope: float, intercept: float, typical: float) -> None:
        self.feature = feature
        self.slope, self.intercept, self.typical = slope, intercept, typical

    def predict(
        self, windows: Windows, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Predict expression."""
        x = np.nan_to_num(_log_activity(windows, self.feature), nan=self.typical)
        return np.asarray(self.intercept + self.slope * x, np.float64)

    def save(self, folder: Path) -> None:
        """Write ``line.json``."""
        values = {"slope": self.slope, "intercept": self.intercept, "typical": self.typical}
        with atomic_file(folder / FILE) as partial:
            partial.write_text(json.dumps(values) + "\n")

    def parameters(self) -> dict[str, int]:
        """Count slope and intercept."""
        return {"line": 2}


def _log_activity(windows: Windows, feature: str) -> NDArray[np.float64]:
    """Return log10(1 + activity) of each window, NaN where it is missing."""
    try:
        return np.log10(1 + windows.raw_feature(feature))
    except DatasetError as error:
        raise DatasetError(
            f"{error} Add it to the manifest (features: promoter_activity: {{}}) and build again, or name another "
            "feature (method.feature)."
        ) from None
