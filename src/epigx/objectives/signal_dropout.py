"""Signal dropout: background signals are removed or exchanged between genes at random in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import BackgroundObjective, exchanged
from epigx.objectives.base import Distance, ObjectiveModule, distance, labels

__all__ = ["SignalDropout", "SignalDropoutLoss"]


class SignalDropout(BackgroundObjective):
    """λ dist(h(X, g(S)), Y) + E_m dist(h(X, g(S̃(m))), Y), with m ~ Bernoulli(rate) for each gene and background signal.

    Where m = 1, the signal is replaced in the whole window: by zeros (``absent``), which show the model that the signal
    is missing, or by the same signal of another gene (``exchanged``), which carries no information.

    No causal assumption is made. ``absent`` trains h as a predictor E[Y | available signals] for every set of
    background signals: accuracy drops less when one is missing, but the effect of available signals does not change.
    ``exchanged`` also weakens available signals: with one background signal, h tends to a mixture of
    E[Y | foreground, background] and E[Y | foreground], weighted by the rate, and at rate 1 to the latter.
    """

    kind: Literal["signal_dropout"] = "signal_dropout"
    rate: float = Field(default=0.5, ge=0, le=1)
    """Probability that a background signal of a gene is replaced."""
    replacement: Literal["absent", "exchanged"] = "absent"
    """What replaces it: zeros, or the signal of another gene."""
    intact: float = Field(default=0.0, ge=0)
    """Weight λ of a second prediction of each gene with all its signals. With 0, there is no second prediction and a
    step takes half the time."""
    distance: Distance = "l1"
    """Distance of prediction and label."""

    @property
    def compares_genes(self) -> bool:
        """Whether signals are exchanged between the genes of a batch."""
        return self.replacement == "exchanged"

    @property
    def predictions(self) -> int:
        """Two if ``intact`` is positive, otherwise one."""
        return 2 if self.intact else 1

    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> SignalDropoutLoss:
        return SignalDropoutLoss(self, background)


class SignalDropoutLoss(ObjectiveModule):
    """The prediction loss of a batch; signals are replaced only in training mode."""

    config: SignalDropout

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with some signals replaced, and with all signals if ``intact``; compare with the labels."""
        config, observed = self.config, labels(batch)
        prediction: Prediction = model(self.dropped(batch) if self.training else batch)
        loss = distance(config.distance, prediction.expression, observed)
        if not (self.training and config.intact):
            return prediction, Loss(total=loss, terms={"prediction": loss.detach()})
        prediction = model(batch)
        intact = distance(config.distance, prediction.expression, observed)
        terms = {"prediction": intact.detach(), "dropped": loss.detach()}
        return prediction, Loss(total=config.intact * intact + loss, terms=terms)

    def dropped(self, batch: Batch) -> Batch:
        """Return the batch with background signals replaced at random, at the given rate."""
        own = batch.signals[..., self.background]
        replaced = torch.rand(len(own), 1, len(self.background), device=own.device) < self.config.rate
        other = exchanged(own) if self.config.replacement == "exchanged" else torch.zeros_like(own)
        signals = batch.signals.clone()
        signals[..., self.background] = torch.where(replaced, other, own)
        return replace(batch, signals=signals)
