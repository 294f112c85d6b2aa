"""Backdoor adjustment in signal space: a small dictionary of background states, averaged as in Eq. 3."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import BackgroundState, in_state, need_background
from epigx.objectives.base import Distance, Objective, ObjectiveModule, distance, labels

__all__ = ["SignalAdjustment", "SignalAdjustmentLoss"]


class SignalAdjustment(Objective):
    """dist(h(X, S), Y) + α dist((1/n) Σᵢ h(X, S_fg, cᵢ(S_bg)), Y): Eqs. 3 and 4 with states cᵢ in place of patterns.

    The states are given, not learned: the background of the gene (``kept``), none (``absent``), or that of another
    gene (``exchanged``), which is drawn from the distribution of backgrounds over genes and so estimates
    Σ_c P(Y | foreground, c) P(c). Foreground signals are the same in all states.

    Assumption: the background signals hold what the confounder C does (no foreground signal hides a part of it), and
    each state is one at which h can be asked.
    """

    kind: Literal["signal_adjustment"] = "signal_adjustment"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss."""
    states: tuple[BackgroundState, ...] = Field(default=("absent", "exchanged"), min_length=1)
    """The dictionary, P(C) uniform over it."""
    distance: Distance = "l1"
    """Distance of both losses."""

    @property
    def compares_genes(self) -> bool:
        """Exchanged signals are those of another gene of the batch."""
        return "exchanged" in self.states

    @property
    def predictions(self) -> int:
        """One from the signals as they are, and one in each state."""
        return 1 + len(self.states)

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> SignalAdjustmentLoss:
        """Return the objective's module, which has no parameters.

        Raises
        ------
        ConfigError
            There is no background signal.
        """
        need_background(self.kind, model, background)
        return SignalAdjustmentLoss(self, background)


class SignalAdjustmentLoss(ObjectiveModule):
    """The two losses of a batch."""

    def __init__(self, config: SignalAdjustment, background: tuple[int, ...]) -> None:
        super().__init__()
        self.config = config
        self.background = background

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict as measured and in each state, and compare both with the labels."""
        config, observed = self.config, labels(batch)
        prediction: Prediction = model(batch)
        interventional = self.intervene(model, batch)
        terms = {
            "prediction": distance(config.distance, prediction.expression, observed),
            "intervention": distance(config.distance, interventional, observed),
        }
        total = terms["prediction"] + config.alpha * terms["intervention"]
        loss = Loss(total=total, terms={name: term.detach() for name, term in terms.items()})
        return replace(prediction, interventional=interventional), loss

    def intervene(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean of the predictions over the states, (batch,)."""
        arms = [model(in_state(batch, self.background, state)).expression for state in self.config.states]
        return torch.stack(arms).mean(0)
