"""What happens beside the optimisation: the log, the best weights, the checkpoint, and the end on request."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor

from epigx.errors import RunError
from epigx.runs.folder import write_text
from epigx.system.shutdown import Interruption
from epigx.training.batches import Stretches
from epigx.training.checkpoint import Best, State
from epigx.training.distributed import Processes
from epigx.training.module import Task
from epigx.training.optim import learning_rate
from epigx.training.weights import Networks

__all__ = ["Broken", "DivergedError", "Progress", "Recorder"]

Progress = Callable[[int, int, Mapping[str, float]], None]
"""Called after each step with its number, the number of steps in all, and what the last validation found."""

_log = logging.getLogger(__name__)


class DivergedError(RunError):
    """Training cannot go on: the loss is no longer a number."""

    exit_code = 1


class Broken(Exception):  # noqa: N818 (it is no error: it carries a request out of Lightning's loop)
    """Training was broken off on request; the state is on disk."""


class Recorder(pl.Callback):
    """Keeps the state of a training up to date, on disk at each validation and when training is broken off.

    Parameters
    ----------
    state : State
        Where training stands.
    folder : Path
        The run's folder.
    stretches : Stretches
        The training batches; they know where validations are.
    interruption : Interruption
        The request to stop; that of one process is one for all.
    processes : Processes
        Who else trains; the leading one writes.
    progress : callable, optional
        Is told each step.
    """

    def __init__(
        self,
        state: State,
        folder: Path,
        stretches: Stretches,
        interruption: Interruption,
        processes: Processes,
        progress: Progress | None = None,
    ) -> None:
        self.state = state
        self.folder = folder
        self.stretches = stretches
        self.interruption = interruption
        self.processes = processes
        self.progress = progress
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Listen to signals from now on, in place of Lightning, which would not write the state."""
        self.interruption.listen()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Report the step, and break off if asked to, unless a validation comes first."""
        assert isinstance(pl_module, Task)
        step = pl_module.step_done
        if self.progress is not None:
            self.progress(step, self.stretches.settings.steps, pl_module.validated)
        if self._asked_to_stop() and not self.stretches.ends_at(step):
            self._save(pl_module)
            raise Broken

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write a row, keep the weights if they are the best so far, save the state."""
        assert isinstance(pl_module, Task)
        step = pl_module.step_done
        row = self._row(pl_module)
        self.state.rows.append(row)
        pl_module.terms.clear()
        if self.state.best is None or row["valid_mse"] < self.state.best.mse:
            self.state.best = Best(step, row["valid_mse"], _copy(pl_module))
        self._save(pl_module)
        if self.processes.leads:
            write_text(self.folder / "log.csv", pd.DataFrame(self.state.rows).to_csv(index=False))
        _log.info("Step %d: validation MSE %.4f, r %.4f.", step, row["valid_mse"], row["valid_pearson"])
        if self._asked_to_stop() and step < self.stretches.settings.steps:
            raise Broken

    def _asked_to_stop(self) -> bool:
        """Whether any process was asked to; all of them hear of it."""
        request = self.processes.largest(self.interruption.request)
        self.interruption.heed(request)
        return request > 0

    def _row(self, task: Task) -> dict[str, float]:
        step, settings = task.step_done, task.settings
        means = {f"train_{name}": float(_stacked(values).mean()) for name, values in task.terms.items()}
        if not all(math.isfinite(value) for value in (*means.values(), task.validated["valid_mse"])):
            raise DivergedError(
                f"The loss is not a number any more at step {step:,}. "
                "Lower training.lr, or scale the signals down by their transforms (data.transforms)."
            )
        self._tick()
        return {
            "step": step,
            "epoch": step / self.stretches.order.steps_per_epoch,
            "seconds": round(self.state.wall_seconds, 3),
            "lr": learning_rate(step - 1, settings),
            **means,
            **task.validated,
        }

    def _save(self, task: Task) -> None:
        self._tick()
        state = self.state
        state.step = task.step_done
        state.weights = Networks(task.model, task.objective).weights()
        state.optimizer = task.optimizer_state()
        state.terms = {name: _stacked(values) for name, values in task.terms.items()}
        if self.processes.leads:
            state.save(self.folder / "checkpoints" / "last.ckpt")

    def _tick(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        self.state.wall_seconds += wall - self._wall
        self.state.cpu_seconds += self.processes.sum(cpu - self._cpu)
        self._wall, self._cpu = wall, cpu


def _stacked(values: list[Tensor]) -> Tensor:
    # Before a resumption they were on the CPU, since then on the accelerator.
    return torch.stack([value.cpu().double() for value in values])


def _copy(task: Task) -> dict[str, Tensor]:
    weights = Networks(task.model, task.objective).weights()
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
