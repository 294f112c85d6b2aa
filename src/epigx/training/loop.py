"""Lightning's part: the loop around a task, kept from talking, logging and saving on its own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning.utilities.exceptions import SIGTERMException

from epigx.dataset.loader import eval_loader
from epigx.training.config import TrainingConfig
from epigx.training.inference import evaluation_batch
from epigx.training.interruption import Interruption
from epigx.training.prepare import Material
from epigx.training.recorder import Broken, Progress, Recorder
from epigx.training.state import State
from epigx.training.stretches import Stretches
from epigx.training.task import Task

__all__ = ["fit"]


def fit(
    material: Material,
    settings: TrainingConfig,
    state: State,
    folder: Path,
    interruption: Interruption,
    progress: Progress | None = None,
) -> None:
    """Train from where the state stands to the last step, or until asked to stop; the state is brought up to date.

    Raises
    ------
    DivergedError
        The loss is no longer a number.
    """
    task = Task(material.networks, settings, state)
    stretches = Stretches(material.train, settings, state.step)
    recorder = Recorder(state, folder, stretches, interruption, progress)
    with _quiet():
        trainer = pl.Trainer(
            accelerator=material.device.type,
            devices=1,
            precision={"fp32": "32-true", "bf16": "bf16-mixed"}[settings.precision],  # type: ignore[arg-type]
            max_steps=settings.steps - state.step,
            max_epochs=-1,  # an epoch of Lightning's is a stretch between two validations
            gradient_clip_val=settings.clip,
            num_sanity_val_steps=0,
            callbacks=[recorder],
            # A cluster's own environment would requeue jobs and write checkpoints of another kind.
            plugins=[LightningEnvironment()],
            default_root_dir=folder,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        try:
            trainer.fit(task, stretches, eval_loader(material.valid, evaluation_batch(material.valid)))
        except (Broken, SIGTERMException):
            pass  # asked to stop; a SIGTERM before the first step has nothing to save
        except SystemExit as exit_:
            # Lightning ends the process at a KeyboardInterrupt; that is for the caller to decide.
            if isinstance(exit_.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from None
            raise
        finally:
            interruption.close()


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
