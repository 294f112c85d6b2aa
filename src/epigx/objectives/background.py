"""What objectives that change background signals share; nothing else in a batch is changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import Model
from epigx.objectives.base import Objective, ObjectiveModule

__all__ = ["BackgroundObjective", "BackgroundState", "accessibility", "exchanged", "in_state"]


class BackgroundObjective(Objective):
    """An objective that reads or changes the background signals of the run's inputs."""

    kind: str

    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> ObjectiveModule:
        """Return the objective's module with fresh weights.

        Raises
        ------
        ConfigError
            The model encodes no signals, or none of the run's signals has the role of background.
        """
        if not model.n_encoded:
            raise ConfigError(
                f"The objective {self.kind!r} changes background signals that a predictor encodes, but the model reads "
                "no signals or is not a predictor. Use a predictor with model.signals, or the objective 'regression'."
            )
        if not background:
            raise ConfigError(
                f"The objective {self.kind!r} changes background signals, but the run's inputs have none. Add one to "
                "data.signals, give one the role background in the manifest, or use the objective 'regression'."
            )
        return self._module(model, n_signals, background)

    @abstractmethod
    def _module(self, model: Model, n_signals: int, background: tuple[int, ...]) -> ObjectiveModule: ...


BackgroundState = Literal["kept", "absent", "exchanged"]
"""The gene's own background signals; zeros, as if not measured; or those of another gene of the batch."""


def in_state(batch: Batch, background: Sequence[int], state: BackgroundState) -> Batch:
    """Return the batch with its background signals in one state.

    ``exchanged`` draws a permutation of the batch, so that over many batches the background follows its distribution
    P(C) over genes, independent of the gene: do(C) with the empirical distribution.
    """
    if state == "kept":
        return batch
    channels, signals = list(background), batch.signals.clone()
    signals[..., channels] = exchanged(batch.signals[..., channels]) if state == "exchanged" else 0.0
    return replace(batch, signals=signals)


def exchanged(
    signals: Float[Tensor, "batch length background"],
) -> Float[Tensor, "batch length background"]:
    """Return the signals with genes in random order; the signals of a gene stay together."""
    return signals[torch.randperm(len(signals), device=signals.device)]


def accessibility(batch: Batch, background: Sequence[int]) -> Float[Tensor, " batch"]:
    """Return the accessibility of each gene's window relative to the batch.

    It is the sum of the means of the background signals over the window, each standardised over the batch. A signal
    that is equal for all genes adds 0.
    """
    means = batch.signals[..., list(background)].float().mean(1)
    centred = means - means.mean(0)
    return (centred / centred.square().mean(0).sqrt().clamp_min(1e-6)).sum(-1)
