"""Backdoor adjustment on the input signals: predictions are averaged over given background states (Eq. 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import BackgroundObjective, BackgroundState, in_state
from epigx.objectives.base import Distance, ObjectiveModule, distance, labels

__all__ = ["InputBackdoor", "InputBackdoorLoss"]


class InputBackdoor(BackgroundObjective):
    """dist(h(X, S), Y) + α dist((1/n) Σᵢ h(X, S_fg, cᵢ(S_bg)), Y): Eqs. 3 and 4 with states cᵢ instead of patterns.

    The states are given, not learned: the background of the gene (``kept``), none (``absent``), or that of another
    gene (``exchanged``), which is drawn from the distribution of backgrounds over genes and so estimates
    Σ_c P(Y | foreground, c) P(c). Foreground signals are the same in all states.

    Assumption: all effects of the confounder C are in the background signals and none in the foreground signals, and
    the model can predict in each state.
    """

    kind: Literal["input_backdoor"] = "input_backdoor"
    alpha: float = Field(default=1.0, ge=0)
    """Weight α of the intervention loss."""
    states: tuple[BackgroundState, ...] = Field(default=("absent", "exchanged"), min_length=1)
    """Background states, all with the same probability P(C)."""
    distance: Distance = "l1"
    """Distance of both losses."""

    @property
    def compares_genes(self) -> bool:
        """Whether signals are exchanged between the genes of a batch."""
        return "exchanged" in self.states

    @property
    def predictions(self) -> int:
        """One with the measured signals, and one in each state."""
        return 1 + len(self.states)

    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> InputBackdoorLoss:
        return InputBackdoorLoss(self, background)


class InputBackdoorLoss(ObjectiveModule):
    """The two losses of a batch."""

    config: InputBackdoor

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict with the measured signals and in each state, and compare both with the labels."""
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
