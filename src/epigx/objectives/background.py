"""Background states in signal space: what an objective may do to the background signals, and to nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models import Model

__all__ = ["BackgroundState", "accessibility", "exchanged", "in_state", "need_background"]

BackgroundState = Literal["kept", "absent", "exchanged"]
"""The gene's own background signals; zeros, as when they were not measured; or those of another gene of the batch."""


def in_state(batch: Batch, background: Sequence[int], state: BackgroundState) -> Batch:
    """Return the batch with its background signals in one state; DNA, foreground and features stay.

    ``exchanged`` draws a permutation of the batch, so that over many batches the background follows its distribution
    P(C) over genes, whatever the gene: do(C) by the empirical distribution.
    """
    if state == "kept":
        return batch
    channels, signals = list(background), batch.signals.clone()
    signals[..., channels] = exchanged(batch.signals[..., channels]) if state == "exchanged" else 0.0
    return replace(batch, signals=signals)


def exchanged(
    signals: Float[Tensor, "batch length background"],
) -> Float[Tensor, "batch length background"]:
    """Return the signals of the genes in a random order, all signals of a gene together."""
    return signals[torch.randperm(len(signals), device=signals.device)]


def accessibility(batch: Batch, background: Sequence[int]) -> Float[Tensor, " batch"]:
    """Return how open the window of each gene is among those of the batch.

    The mean of each background signal over the window, in standard deviations over the batch, added up; a signal that
    is the same for all genes adds nothing.
    """
    means = batch.signals[..., list(background)].float().mean(1)
    centred = means - means.mean(0)
    return (centred / centred.square().mean(0).sqrt().clamp_min(1e-6)).sum(-1)


def need_background(kind: str, model: Model, background: Sequence[int]) -> None:
    """Make sure that there is a background to speak of.

    Raises
    ------
    ConfigError
        The model encodes no signals, or none of the run's signals has the role of background.
    """
    if not model.n_encoded:
        raise ConfigError(
            f"The objective {kind!r} acts on background signals that a predictor encodes, and the model reads no "
            "signals or is of another kind. Take a predictor with model.signals, or use the objective 'regression'."
        )
    if not background:
        raise ConfigError(
            f"The objective {kind!r} acts on background signals, and the run's inputs have none. "
            "Name one in data.signals, give one the role background in the manifest, or use the objective 'regression'."
        )
