"""Signal dropout: background signals taken away, or exchanged between genes, at random in training."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import exchanged, need_background
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels

__all__ = ["SignalDropout", "SignalDropoutLoss"]


class SignalDropout(Objective):
    """λ dist(h(X, g(S)), Y) + E_m dist(h(X, g(S̃(m))), Y), with m ~ Bernoulli(rate) for each gene and background signal.

    Where m = 1 the signal is replaced for the whole window: by zeros (``absent``), which tell the model that it is not
    there, or by the same signal of another gene (``exchanged``), which tells it nothing.

    Assumption: none on the causes. ``absent`` makes h a predictor for every set of background signals, E[Y | those
    present]: it cures the loss of accuracy when one is missing, and leaves what the model does with a signal that is
    present as it was. ``exchanged`` weakens that too: with only one background signal, h tends to the mixture of
    E[Y | foreground, background] and E[Y | foreground] that the rate gives, and at rate 1 to the latter.
    """

    kind: Literal["signal_dropout"] = "signal_dropout"
    rate: float = Field(default=0.5, ge=0, le=1)
    """Probability with which a background signal of a gene is replaced."""
    replacement: Literal["absent", "exchanged"] = "absent"
    """What stands in its place."""
    intact: float = Field(default=0.0, ge=0)
    """Weight λ of a second prediction of each gene, with all its signals; 0, without which a step takes half the time,
    leaves intact genes to chance."""
    distance: Distance = "l1"
    """Distance of prediction and label."""

    @property
    def compares_genes(self) -> bool:
        """Exchanged signals are those of another gene of the batch."""
        return self.replacement == "exchanged"

    @property
    def predictions(self) -> int:
        """A second one from all signals, where it is asked for."""
        return 2 if self.intact else 1

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> SignalDropoutLoss:
        """Return the objective's module, which has no parameters.

        Raises
        ------
        ConfigError
            There is no background signal.
        """
        need_background(self.kind, model, background)
        return SignalDropoutLoss(self, background)


class SignalDropoutLoss(ObjectiveModule):
    """The prediction loss of a batch; signals are replaced in training mode alone."""

    def __init__(self, config: SignalDropout, background: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        self.background = list(background)

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict from what is left of the signals, and from all of them if asked to; compare with the labels."""
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
        """Return the batch with each background signal of each gene replaced at the rate."""
        own = batch.signals[..., self.background]
        replaced = torch.rand(len(own), 1, len(self.background), device=own.device) < self.config.rate
        other = exchanged(own) if self.config.replacement == "exchanged" else torch.zeros_like(own)
        signals = batch.signals.clone()
        signals[..., self.background] = torch.where(replaced, other, own)
        return replace(batch, signals=signals)
