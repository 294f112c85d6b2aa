"""Lightning's part: the loop around a task, kept from talking, logging and saving on its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.strategies import DDPStrategy, Strategy
from pytorch_lightning.utilities.exceptions import SIGTERMException

from epigx.dataset.loader import eval_loader
from epigx.system.shutdown import Interruption
from epigx.training.batches import Stretches
from epigx.training.callbacks import Broken, Progress, Recorder
from epigx.training.checkpoint import State
from epigx.training.config import TrainingConfig
from epigx.training.distributed import Processes
from epigx.training.inference import evaluation_batch
from epigx.training.module import Task
from epigx.training.setup import Material

__all__ = ["fit"]


def fit(
    material: Material,
    settings: TrainingConfig,
    state: State,
    folder: Path,
    interruption: Interruption,
    processes: Processes,
    progress: Progress | None = None,
) -> None:
    """Train from where the state stands to the last step, or until asked to stop; the state is brought up to date.

    Raises
    ------
    DivergedError
        The loss is no longer a number.
    """
    stretches = Stretches(material.train, settings, state.step, processes.share)
    task = Task(material, settings, state, stretches.order, processes)
    recorder = Recorder(state, folder, stretches, interruption, processes, progress)
    valid = material.valid.only(processes.share.of(np.arange(len(material.valid))))
    with _quiet():
        trainer = pl.Trainer(
            accelerator=material.device.type,
            devices=[torch.cuda.current_device()] if material.device.type == "cuda" else 1,
            num_nodes=processes.count,  # of one process each
            strategy=_strategy(processes),
            precision={"fp32": "32-true", "bf16": "bf16-mixed"}[settings.precision],  # type: ignore[arg-type]
            max_steps=settings.steps - state.step,
            max_epochs=-1,  # an epoch of Lightning's is a stretch between two validations
            gradient_clip_val=settings.clip,
            num_sanity_val_steps=0,
            callbacks=[recorder],
            plugins=[_Environment(processes)],
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(task, stretches, eval_loader(valid, evaluation_batch(valid)))
        except (Broken, SIGTERMException):
            pass  # asked to stop; a SIGTERM before the first step has nothing to save
        except SystemExit as exit_:
            # Lightning ends the process at a KeyboardInterrupt; that is for the caller to decide.
            if isinstance(exit_.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise
        finally:
            interruption.close()


class _Environment(LightningEnvironment):
    """The processes that were started, each a machine of its own to Lightning, which starts none and looks for none.

    The environment of a cluster, which Lightning would find by itself, requeues jobs and writes checkpoints of another
    kind.
    """

    def __init__(self, processes: Processes) -> None:
        super().__init__()
        self.set_world_size(processes.count)
        self.set_global_rank(processes.rank)

    @property
    def creates_processes_externally(self) -> bool:
        """Whether the processes are there already."""
        return True

    def local_rank(self) -> int:
        """Return the number of the process on its machine."""
        return 0

    def node_rank(self) -> int:
        """Return the number of the machine."""
        return self.global_rank()

    def teardown(self) -> None:
        """Leave alone what the launcher wrote into the environment, which Lightning would remove."""


def _strategy(processes: Processes) -> Strategy | str:
    """Return how gradients are shared: those of several processes are averaged."""
    if processes.count == 1:
        return "auto"
    # Batch statistics are those of all processes already (layers/batch_norm.py), so no buffer has to be sent around;
    # with a static graph a parameter that the loss does not depend on is nothing to wait for.
    return DDPStrategy(broadcast_buffers=False, static_graph=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's banners and its advice; its errors are raised as ever."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric", "lightning")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric|torchmetrics)\b")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
