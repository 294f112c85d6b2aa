"""The information bottleneck of Seq2Exp (Su et al., 2025): predict well from a sparse mask."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.distributions import Beta, kl_divergence

from epigx.batch import Batch, Loss, Prediction
from epigx.errors import ConfigError
from epigx.models import Model
from epigx.models.seq2exp import Seq2Exp
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels

__all__ = ["Bottleneck", "BottleneckLoss", "discontinuity"]


class Bottleneck(Objective):
    """L₁ + w KL(z ‖ Beta(s, s (1 - m) / m)), with the divergence averaged over positions; for models with a mask.

    The prior's defaults are those of the soft variant, Beta(10, 90); the hard variant has m = 0.45 and s = 0.1.
    """

    kind: Literal["bottleneck"] = "bottleneck"
    distance: Distance = "smooth_l1"
    """Distance of prediction and label; smooth L1 in the official code."""
    weight: float = Field(default=0.01, ge=0)
    """Weight w of the divergence."""
    mean: float = Field(default=0.1, gt=0, lt=1)
    """Mean m of the prior: the expected share of selected positions."""
    scale: float = Field(default=10.0, gt=0)
    """First parameter s of the prior; larger values make it narrower."""
    continuity: float = Field(default=0.0, ge=0)
    """Weight of differences of the mask between neighbouring positions; 0 in the official settings."""

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> BottleneckLoss:
        """Return the objective's module, which has no parameters.

        Raises
        ------
        ConfigError
            The model makes no mask.
        """
        if not model.makes_mask:
            raise ConfigError(
                "The objective 'bottleneck' needs a model that selects positions (seq2exp_soft, seq2exp_hard), but "
                f"{type(model).__name__} does not. Use the objective 'regression'."
            )
        return BottleneckLoss(self)


class BottleneckLoss(ObjectiveModule):
    """The prediction loss, the divergence of the mask from its prior, and statistics of the mask."""

    config: Bottleneck

    def forward(self, model: Seq2Exp, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict, and compare the prediction with the labels and the mask with its prior."""
        config = self.config
        prediction, posterior = model.select(batch)
        assert prediction.mask is not None, "Seq2Exp returns its mask"
        terms = {
            "prediction": distance(config.distance, prediction.expression, labels(batch)),
            "kl": kl_divergence(posterior, self._prior(posterior)).mean(),
            "continuity": discontinuity(prediction.mask),
            "mask": prediction.mask.mean(),
        }
        total = terms["prediction"] + config.weight * terms["kl"]
        if config.continuity:
            total = total + config.continuity * terms["continuity"]
        return prediction, Loss(total=total, terms={name: term.detach() for name, term in terms.items()})

    def _prior(self, posterior: Beta) -> Beta:
        scale = posterior.mean.new_tensor(self.config.scale)
        return Beta(scale, scale * (1 - self.config.mean) / self.config.mean, validate_args=False)


def discontinuity(mask: Float[Tensor, "batch length"]) -> Float[Tensor, ""]:
    """Return the mean absolute difference of neighbouring positions; the ends have equal neighbours.

    Examples
    --------
    >>> import torch
    >>> discontinuity(torch.tensor([[0.0, 1.0, 1.0]])).item()
    0.25
    """
    return mask.diff(dim=1).abs().sum(1).mean() / (mask.shape[1] + 1)
