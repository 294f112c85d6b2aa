"""The promoter's activity alone: what the Activity-by-Contact model takes a promoter to be worth."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from epigx.baselines.base import Predict, Reference
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError

__all__ = ["PromoterActivity"]


class PromoterActivity(Reference):
    """A straight line from log10(1 + activity) to log10(1 + x).

    The activity is √(H3K27ac × accessibility) of TSS ± 500 bp (Fulco et al., 2019), as the dataset holds it.
    """

    kind: Literal["promoter_activity"] = "promoter_activity"
    feature: str = "promoter_activity"
    """Name of the dataset's feature."""

    def fit(self, train: Windows, valid: Windows) -> Predict:
        """Fit slope and intercept by least squares; there is nothing to choose.

        Raises
        ------
        DatasetError
            The dataset has no such feature.
        """
        x = self._logged(train)
        here = np.isfinite(x)
        typical = float(x[here].mean()) if here.any() else 0.0
        slope, intercept = 0.0, float(train.expression.mean())
        if here.any() and np.ptp(x[here]) > 0:
            slope, intercept = np.polyfit(x[here], train.expression[here], 1)

        def predict(windows: Windows) -> NDArray[np.float64]:
            return np.asarray(intercept + slope * np.nan_to_num(self._logged(windows), nan=typical), np.float64)

        return predict

    def _logged(self, windows: Windows) -> NDArray[np.float64]:
        """Return log10(1 + activity) of each window, NaN where there is none."""
        dataset = windows.dataset
        names = [feature.name for feature in dataset.features]
        if self.feature not in names:
            raise DatasetError(
                f"{dataset.path} has no feature {self.feature!r}. Ask for it in the manifest (features: "
                "promoter_activity: {}) and build again."
            )
        values = np.empty(len(windows))
        for cell_type in np.unique(windows.cell_type):
            place = windows.cell_type == cell_type
            values[place] = dataset.feature_values(str(cell_type))[windows.row[place], names.index(self.feature)]
        return np.log10(1 + values)
