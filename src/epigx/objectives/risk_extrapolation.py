"""Risk extrapolation: equal errors in closed and open chromatin (V-REx, Krueger et al., ICML 2021)."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import BackgroundObjective, accessibility
from epigx.objectives.base import Distance, ObjectiveModule, distance, labels

__all__ = ["RiskExtrapolation", "RiskExtrapolationLoss"]


class RiskExtrapolation(BackgroundObjective):
    """mean_e R_e + weight · Var_e R_e, where R_e is the prediction loss of environment e.

    Environments are bins of accessibility of equal size within the batch, from the least to the most open.

    Assumption: causes of expression predict it equally well in all environments, and confounded signals do not.
    Bins of a covariate are weak environments, because P(Y | background) may be the same in all of them.
    """

    kind: Literal["risk_extrapolation"] = "risk_extrapolation"
    weight: float = Field(default=1.0, ge=0)
    """Weight of the variance of risks."""
    environments: int = Field(default=4, ge=2)
    """Bins of accessibility; a batch should contain several genes per bin."""
    distance: Distance = "l1"
    """Distance of prediction and label."""

    @property
    def compares_genes(self) -> bool:
        """Always: environments are bins of the batch."""
        return True

    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> RiskExtrapolationLoss:
        return RiskExtrapolationLoss(self, background)


class RiskExtrapolationLoss(ObjectiveModule):
    """Mean and variance of the risks of a batch."""

    config: RiskExtrapolation

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict and compare with the labels in each environment."""
        config, observed = self.config, labels(batch)
        prediction: Prediction = model(batch)
        order = accessibility(batch, self.background).argsort()
        bins = order.tensor_split(min(config.environments, len(order)))
        risks = torch.stack([distance(config.distance, prediction.expression[e], observed[e]) for e in bins])
        terms = {
            "prediction": distance(config.distance, prediction.expression, observed),
            "risk_variance": risks.var(correction=0),
        }
        total = risks.mean() + config.weight * terms["risk_variance"]
        return prediction, Loss(total=total, terms={name: term.detach() for name, term in terms.items()})
