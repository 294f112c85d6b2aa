"""Training batches in stretches: from where training stands to the next validation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from epigx.batch import Batch
from epigx.dataset.loader import Order, Share, train_loader
from epigx.dataset.windows import Windows
from epigx.training.config import TrainingConfig

__all__ = ["Stretches"]


class Stretches:
    """One iteration gives the batches up to the next validation, and the next iteration goes on from there.

    Validations are at fixed steps, a resumption notwithstanding: every ``validate_every`` epochs, and at the last step.

    Parameters
    ----------
    windows : Windows
        The training windows.
    settings : TrainingConfig
        Batch size, seed, steps and how often to validate.
    start : int
        Steps made before.
    share : Share
        The part of each batch to read.
    """

    def __init__(self, windows: Windows, settings: TrainingConfig, start: int = 0, share: Share | None = None) -> None:
        self.windows = windows
        self.settings = settings
        self.share = share or Share()
        self.order = Order(len(windows), settings.batch_size, settings.seed)
        self.interval = max(1, round(settings.validate_every * self.order.steps_per_epoch))
        self._step = start

    def ends_at(self, step: int) -> bool:
        """Whether a validation follows the step (counted from 1)."""
        return step % self.interval == 0 or step == self.settings.steps

    def __iter__(self) -> Iterator[Batch]:
        start = self._step
        end = min(start - start % self.interval + self.interval, self.settings.steps)
        settings = self.settings
        loader = train_loader(
            self.windows, batch_size=settings.batch_size, seed=settings.seed, start_step=start, share=self.share
        )
        yield from islice(loader, end - start)
        self._step = end
