"""What Lightning trains: a model and an objective, by AdamW; and how they are validated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim import AdamW

from epigx.batch import Batch
from epigx.dataset.loader import Order
from epigx.layers.batch_norm import dealt_out
from epigx.metrics import metrics
from epigx.objectives.backdoor import BackdoorLoss, pattern_statistics
from epigx.training.checkpoint import State
from epigx.training.config import TrainingConfig
from epigx.training.distributed import Processes
from epigx.training.optim import learning_rate, parameter_groups
from epigx.training.setup import Material

__all__ = ["Task", "pattern_statistics"]


class Task(pl.LightningModule):
    """The model and the objective, from a given step on.

    Parameters
    ----------
    material : Material
        What is trained, and the validation genes.
    settings : TrainingConfig
        Learning rate, weight decay, seed.
    state : State
        Where training stands; its weights and its optimizer are taken over unless it is at step 0.
    order : Order
        How many genes each step has.
    processes : Processes
        Who else trains.

    Attributes
    ----------
    terms : dict of str to list of Tensor
        Loss terms of each step since the last validation, ``total`` among them; means over the whole batch.
    validated : dict of str to float
        What the last validation found: ``valid_mse`` and its like, and statistics of the patterns where there are any.
    """

    def __init__(
        self, material: Material, settings: TrainingConfig, state: State, order: Order, processes: Processes
    ) -> None:
        super().__init__()
        self.model, self.objective = material.networks
        self.settings = settings
        self.order = order
        self.processes = processes
        self.n_valid = len(material.valid)
        self.start = state.step
        self.terms = {name: list(values) for name, values in state.terms.items()}
        self.validated: dict[str, float] = {}
        self._optimizer_state = state.optimizer
        self._predicted: list[Tensor] = []
        self._observed: list[Tensor] = []
        self._patterns: list[Tensor] = []
        if state.weights:
            material.networks.load(state.weights, source="the checkpoint")

    @property
    def step_done(self) -> int:
        """Optimizer steps made, those before a resumption included."""
        return self.start + self.trainer.global_step

    def configure_optimizers(self) -> AdamW:
        """Return AdamW, with what it remembered when training is resumed."""
        groups = parameter_groups(self.model, self.objective, weight_decay=self.settings.weight_decay)
        optimizer = AdamW(groups, lr=self.settings.lr, betas=self.settings.betas)
        if self._optimizer_state:
            optimizer.load_state_dict(self._optimizer_state)
        return optimizer

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set what the step's number decides: the learning rate, and what is drawn in the step."""
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = learning_rate(self.step_done, self.settings)
        draw = [self.settings.seed, self.step_done, self.processes.rank]
        seed = np.random.SeedSequence(draw if self.processes.rank else draw[:2]).generate_state(1, np.uint64)
        torch.manual_seed(int(seed[0]))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of a batch, or of this process's share of it, and note the terms of the whole."""
        size, share = self.order.size(self.step_done), self.processes.share
        with dealt_out(share.divides(size)):
            _, loss = self.objective(self.model, batch)
        weight = share.weight(size)
        terms = {"total": loss.total, **loss.terms}
        whole = self.processes.mean(weight * torch.stack([term.detach() for term in terms.values()]))
        for name, term in zip(terms, whole, strict=True):
            self.terms.setdefault(name, []).append(term)
        return weight * loss.total  # type: ignore[no-any-return]  # nn.Module calls are untyped

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Predict a batch of the validation genes, in float32 whatever the precision of training."""
        with torch.autocast(self.device.type, enabled=False):
            self._predicted.append(self.model(batch).expression)
            if isinstance(self.objective, BackdoorLoss):
                self._patterns.append(self.objective.patterns(batch))
        assert batch.expression is not None, "validation windows are labelled"
        self._observed.append(batch.expression)

    def on_validation_epoch_end(self) -> None:
        """Score all validation genes at once."""
        found = metrics(self._all(self._observed).numpy(), self._all(self._predicted).numpy()).scores
        scores = {name: found[name] for name in ("mse", "mae", "pearson")}
        self.validated = {f"valid_{name}": value for name, value in scores.items()}
        if isinstance(self.objective, BackdoorLoss):
            self.validated |= pattern_statistics(self._all(self._patterns))
            self.validated["diversity_floor"] = self.objective.floor
        for collected in (self._predicted, self._observed, self._patterns):
            collected.clear()

    def _all(self, batches: list[Tensor]) -> Tensor:
        """Put together what all processes collected, one row a validation gene."""
        return self.processes.gathered(torch.cat(batches), self.n_valid)

    def optimizer_state(self) -> dict[str, Any]:
        """Return what the optimizer remembers."""
        return self.trainer.optimizers[0].state_dict()
