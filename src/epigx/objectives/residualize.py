"""Linear adjustment as a control: accessibility is regressed out of the labels before training on them."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from epigx.batch import Batch, Loss, Prediction
from epigx.models import Model
from epigx.objectives.background import BackgroundObjective
from epigx.objectives.base import Distance, ObjectiveModule, distance, labels

__all__ = ["Residualize", "ResidualizeLoss"]


class Residualize(BackgroundObjective):
    """dist(h(X, S), Y - β · (s - s̄)), where s are the background signals' means over the window.

    β is their slope in the least-squares regression Y ~ 1 + s_bg + s_fg on the means of all signals, over the training
    genes seen so far (Frisch and Waugh, 1933). The network learns the expression at mean accessibility.

    Assumption: the confounder affects expression linearly, and the background signals measure it without noise.
    Validation and test use the measured labels, so the removed part counts as error there. Training uses only one
    process, because the regression needs all genes.
    """

    kind: Literal["residualize"] = "residualize"
    distance: Distance = "l1"
    """Distance of prediction and adjusted label."""

    @property
    def compares_genes(self) -> bool:
        """Always: the regression uses all genes that this process has seen."""
        return True

    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> ResidualizeLoss:
        return ResidualizeLoss(self, n_signals, background)


class ResidualizeLoss(ObjectiveModule):
    """The loss against adjusted labels; it has no parameters.

    Attributes
    ----------
    products : Tensor of float64, (signal + 2, signal + 2)
        Sums over genes of the products of (1, signal means, label), from which the slopes are computed.
    """

    products: Tensor

    def __init__(self, config: Residualize, n_signals: int, background: tuple[int, ...]) -> None:
        super().__init__(config, background)
        self.register_buffer("products", torch.zeros(n_signals + 2, n_signals + 2, dtype=torch.float64))

    def forward(self, model: nn.Module, batch: Batch) -> tuple[Prediction, Loss]:
        """Adjust the labels, predict, and compare."""
        prediction: Prediction = model(batch)
        loss = distance(self.config.distance, prediction.expression, self.adjusted(batch))
        return prediction, Loss(total=loss, terms={"prediction": loss.detach()})

    @torch.no_grad()
    def adjusted(self, batch: Batch) -> Float[Tensor, " batch"]:
        """Return the labels adjusted to mean accessibility; in training, the batch is first added to the regression."""
        observed = labels(batch)
        means = batch.signals.double().mean(1)
        if self.training:
            row = torch.cat([torch.ones_like(means[:, :1]), means, observed.double()[:, None]], dim=1)
            self.products += row.T @ row
        genes = self.products[0, 0].clamp_min(1)
        centre = (self.products[0, 1:-1] / genes)[self.background]
        shift = (means[:, self.background] - centre) @ self.slopes()[self.background]
        return observed - shift.to(observed.dtype)

    def slopes(self) -> Float[Tensor, " signal"]:
        """Return the slope of expression on the mean of each signal, adjusted for the others; zeros before any gene."""
        # A small ridge penalty, so that slopes exist for the first batches and for constant signals.
        square = self.products[:-1, :-1]
        ridge = 1e-6 * square[0, 0].clamp_min(1) * torch.eye(len(square), dtype=square.dtype, device=square.device)
        solution: Tensor = torch.linalg.solve(square + ridge, self.products[:-1, -1])
        return solution[1:]
