"""Regression with the prediction loss L₁ only, which InFER is compared with."""

from __future__ import annotations

from typing import Literal

from torch import nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels

__all__ = ["Regression", "RegressionLoss"]


class Regression(Objective):
    """dist(h(X, H), Y), Eq. 1."""

    kind: Literal["regression"] = "regression"
    distance: Distance = "l1"
    """Distance of prediction and label; L1 in the paper."""

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> RegressionLoss:
        """Return the module, which has no parameters."""
        return RegressionLoss(self)


class RegressionLoss(ObjectiveModule):
    """L₁ of a batch."""

    config: Regression

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict and compare with the labels."""
        prediction: Prediction = model(batch)
        loss = distance(self.config.distance, prediction.expression, labels(batch))
        return prediction, Loss(total=loss, terms={"prediction": loss.detach()})
