"""The training loop: optimizer steps, validation, log, best weights, checkpoint, and the stop on request."""

from __future__ import annotations

import logging
import math
import time

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW

from epigx.batch import Batch
from epigx.dataset.loader import eval_loader, train_loader
from epigx.dataset.order import Order
from epigx.errors import RunError
from epigx.layers.batch_norm import dealt_out
from epigx.metrics import METRICS
from epigx.runs.folder import write_text
from epigx.runs.session import Session
from epigx.training.checkpoint import Best, State
from epigx.training.config import TrainingConfig
from epigx.training.distributed import Processes
from epigx.training.inference import evaluation_batch
from epigx.training.optim import learning_rate, parameter_groups
from epigx.training.setup import Material

__all__ = ["DivergedError", "fit", "validation_interval"]

_log = logging.getLogger(__name__)


class DivergedError(RunError):
    """Training cannot continue: the loss is NaN or infinite."""

    exit_code = 1


def fit(material: Material, settings: TrainingConfig, state: State, session: Session, processes: Processes) -> None:
    """Train from the step of ``state`` to the last step, or until a request to stop; update ``state``.

    Only the first process writes the log and the checkpoint; a request to stop one process stops all.

    Raises
    ------
    DivergedError
        The loss is NaN or infinite.
    """
    session.interruption.listen()
    try:
        _Trainer(material, settings, state, session, processes).run()
    finally:
        session.interruption.close()


def validation_interval(settings: TrainingConfig, steps_per_epoch: int) -> int:
    """Return the number of steps between two validations, at least 1; another one follows the last step."""
    return max(1, round(settings.validate_every * steps_per_epoch))


class _Trainer:
    """One call of :func:`fit`.

    Attributes
    ----------
    terms : dict of str to list of Tensor
        Loss terms of each step since the last validation; means over the whole batch.
    validated : dict of str to float
        Metrics of the last validation: ``valid_mse`` and others, and the objective's statistics.
    """

    def __init__(
        self, material: Material, settings: TrainingConfig, state: State, session: Session, processes: Processes
    ) -> None:
        self.settings, self.state, self.session, self.processes = settings, state, session, processes
        self.device, self.networks, self.train = material.device, material.networks, material.train
        self.n_valid = len(material.valid)
        self.valid = material.valid.only(processes.shard.of(np.arange(self.n_valid)))
        self.order = Order(len(material.train), settings.batch_size, settings.seed)
        self.interval = validation_interval(settings, self.order.steps_per_epoch)
        self.terms = {name: list(values) for name, values in state.terms.items()}
        self.validated: dict[str, float] = {}
        if state.weights:
            self.networks.load(state.weights, source="the checkpoint")
        self.modules = nn.ModuleList(self.networks).to(self.device).train()
        groups = parameter_groups(*self.networks, weight_decay=settings.weight_decay)
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        self.optimizer = AdamW(groups, lr=settings.lr, betas=settings.betas)
        if state.optimizer:
            self.optimizer.load_state_dict(state.optimizer)
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def run(self) -> None:
        """Make steps until the last one or a request to stop, which a validation of the same step precedes."""
        settings, start = self.settings, self.state.step
        batches = train_loader(
            self.train,
            batch_size=settings.batch_size,
            seed=settings.seed,
            start_step=start,
            shard=self.processes.shard,
        )
        for step, batch in zip(range(start + 1, settings.steps + 1), batches, strict=False):  # batches never end
            self._optimize(step, batch.to(self.device))
            self.session.progress(step, settings.steps, self.validated)
            validates = step % self.interval == 0 or step == settings.steps
            if validates:
                self._validate()
                self._record(step)
            if self._stop_requested():
                if not validates:
                    self._save(step)
                return

    def _optimize(self, step: int, batch: Batch) -> None:
        """Make an optimizer step, counted from 1.

        Learning rate and random numbers depend on the step's number only, so that a resumed run has the same.
        """
        settings, shard, size = self.settings, self.processes.shard, self.order.size(step - 1)
        model, objective = self.networks
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(step - 1, settings)
        torch.manual_seed(_seed(settings.seed, step - 1, self.processes.rank))
        # Without the cache, weights that are used twice add up their gradients in float32, not in bfloat16.
        bf16 = settings.precision == "bf16"
        with (
            torch.autocast(self.device.type, torch.bfloat16, enabled=bf16, cache_enabled=False),
            dealt_out(shard.splits(size)),
        ):
            _, loss = objective(model, batch)
        weight = shard.weight(size)
        terms = {name: term.detach() for name, term in {"total": loss.total, **loss.terms}.items()}
        means = self.processes.mean(weight * torch.stack(list(terms.values())))
        for name, mean in zip(terms, means, strict=True):
            self.terms.setdefault(name, []).append(mean)
        self.optimizer.zero_grad()
        (weight * loss.total).backward()
        self.processes.average_gradients(self.parameters)
        clip_grad_norm_(self.parameters, settings.clip)
        self.optimizer.step()

    @torch.no_grad()
    def _validate(self) -> None:
        """Score all validation genes at once, in float32 whatever the precision of training."""
        model, objective = self.networks
        self.modules.eval()
        predicted: list[Tensor] = []
        observed: list[Tensor] = []
        diagnostics: dict[str, list[Tensor]] = {}
        for batch in eval_loader(self.valid, evaluation_batch(self.valid)):
            assert batch.expression is not None, "validation windows have labels"
            on_device = batch.to(self.device)
            predicted.append(model(on_device).expression)
            observed.append(batch.expression)
            for name, values in objective.diagnostics(on_device).items():
                diagnostics.setdefault(name, []).append(values)
        # Not by `metrics`, which refuses predictions that are not finite: here they are a training that diverges.
        truth, guess = (self._gathered(values).double().numpy() for values in (observed, predicted))
        scores = {name: float(METRICS[name].function(truth, guess)) for name in ("mse", "mae", "pearson")}
        found = {name: self._gathered(values) for name, values in diagnostics.items()}
        self.validated = {f"valid_{name}": value for name, value in scores.items()}
        self.validated |= objective.summarize(found)
        self.modules.train()

    def _gathered(self, batches: list[Tensor]) -> Tensor:
        """Concatenate the batches of all processes, one row per validation gene; on the CPU."""
        return self.processes.gathered(torch.cat(batches), self.n_valid)

    def _record(self, step: int) -> None:
        """Add a row to the log, keep the weights if they are the best so far, and save the checkpoint."""
        row = self._row(step)
        self.state.rows.append(row)
        self.terms.clear()
        if self.state.best is None or row["valid_mse"] < self.state.best.mse:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in self.networks.weights().items()}
            self.state.best = Best(step, row["valid_mse"], weights)
        self._save(step)
        if self.processes.leads:
            write_text(self.session.folder / "log.csv", pd.DataFrame(self.state.rows).to_csv(index=False))
        _log.info("Step %d: validation MSE %.4f, r %.4f.", step, row["valid_mse"], row["valid_pearson"])

    def _row(self, step: int) -> dict[str, float]:
        means = {f"train_{name}": float(_stacked(values).mean()) for name, values in self.terms.items()}
        if not all(math.isfinite(value) for value in (*means.values(), self.validated["valid_mse"])):
            raise DivergedError(
                f"The loss is NaN or infinite at step {step:,}. "
                "Lower training.lr, or scale the signals down by their transforms (data.transforms)."
            )
        self._add_time()
        return {
            "step": step,
            "epoch": step / self.order.steps_per_epoch,
            "seconds": round(self.state.wall_seconds, 3),
            "lr": learning_rate(step - 1, self.settings),
            **means,
            **self.validated,
        }

    def _save(self, step: int) -> None:
        self._add_time()
        state = self.state
        state.step = step
        state.weights = self.networks.weights()
        state.optimizer = self.optimizer.state_dict()
        state.terms = {name: _stacked(values) for name, values in self.terms.items()}
        if self.processes.leads:
            state.save(self.session.checkpoint)

    def _stop_requested(self) -> bool:
        """Return whether any process was asked to stop; all of them then know the reason."""
        request = self.processes.largest(self.session.interruption.request)
        self.session.interruption.adopt(request)
        return request > 0

    def _add_time(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        self.state.wall_seconds += wall - self._wall
        self.state.cpu_seconds += self.processes.sum(cpu - self._cpu)
        self._wall, self._cpu = wall, cpu


def _seed(seed: int, step: int, rank: int) -> int:
    """Return the seed of the random numbers of a step, different on each process."""
    entropy = [seed, step, rank] if rank else [seed, step]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0])


def _stacked(values: list[Tensor]) -> Tensor:
    # Terms from before a resumption are on the CPU, later ones on the device.
    return torch.stack([value.cpu().double() for value in values])
