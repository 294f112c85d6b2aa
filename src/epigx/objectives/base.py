"""What an objective is: from a model and a batch to a prediction and the loss to minimise."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from itertools import combinations
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss, smooth_l1_loss

from epigx.batch import Batch
from epigx.config import Kind
from epigx.errors import DatasetError
from epigx.models import Model

__all__ = ["Distance", "Objective", "ObjectiveModule", "distance", "labels", "pattern_statistics"]

Distance = Literal["l1", "smooth_l1", "mse"]


class Objective(Kind):
    """Settings of an objective; a new objective is a subclass with its own ``kind`` and ``build``."""

    @property
    def compares_genes(self) -> bool:
        """Whether the loss of a gene depends on the other genes of its batch, and so not on the gene alone."""
        return False

    @property
    def predictions(self) -> int:
        """How often the model predicts each gene in a step of training: what its time and memory grow with."""
        return 1

    def check_length(self, window: int) -> None:
        """Make sure, before training, that the objective takes windows of this length in bp.

        Raises
        ------
        ConfigError
            It does not.
        """

    @abstractmethod
    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> ObjectiveModule:
        """Return the objective's module: ``module(network, batch)`` gives ``(Prediction, Loss)``.

        Its parameters are what training needs and inference does not; they are trained along with the model's.

        Parameters
        ----------
        model : Model
            Settings of the model that it will be called with.
        n_signals : int
            Signals that the run's inputs have.
        background : tuple of int
            Which of them are background signals, by their place.
        """


class ObjectiveModule(nn.Module):
    """From a model and a batch to the prediction and the loss, and what training logs about the objective itself."""

    def diagnostics(self, batch: Batch) -> dict[str, Tensor]:
        """Return what to collect over the validation genes, by name; one row per gene of the batch."""
        return {}

    def summarize(self, diagnostics: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the columns of the training log, from the :meth:`diagnostics` of all validation genes."""
        return {}


def distance(
    kind: Distance, predicted: Float[Tensor, " batch"], observed: Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return dist(predicted, observed) of Eq. 1, averaged over the genes.

    Parameters
    ----------
    kind : {"l1", "smooth_l1", "mse"}
        Absolute difference (the paper), the same with a quadratic bottom below 1 (the official code), or squared.
    """
    measure = {"l1": l1_loss, "smooth_l1": smooth_l1_loss, "mse": mse_loss}[kind]
    return measure(predicted, observed)


def labels(batch: Batch) -> Float[Tensor, " batch"]:
    """Return the measured expression of the batch.

    Raises
    ------
    DatasetError
        The batch has none.
    """
    if batch.expression is None:
        raise DatasetError("A batch without expression reached the objective. Train on genes that have a label.")
    return batch.expression


def pattern_statistics(patterns: Float[Tensor, "gene pattern encoded"]) -> dict[str, float]:
    """Measure how much the patterns differ from each other, and from gene to gene.

    Returns
    -------
    dict of str to float
        ``pattern_cosine``: cosine between two patterns of a gene, averaged over pairs and genes (absent for one
        pattern); ``pattern_sd_1`` …: the standard deviation over genes of each weight of a pattern, averaged over the
        weights. Zero means that the pattern is the same for every gene.
    """
    patterns = patterns.detach().cpu().double()
    pairs = list(combinations(range(patterns.shape[1]), 2))
    spread = patterns.std(dim=0, correction=0).mean(dim=-1)
    found = {f"pattern_sd_{number}": float(value) for number, value in enumerate(spread, start=1)}
    if pairs:
        first, second = (patterns[:, [pair[side] for pair in pairs]] for side in (0, 1))
        found = {"pattern_cosine": float(torch.cosine_similarity(first, second, dim=-1).mean())} | found
    return found
