"""The base classes of objectives, which turn a model and a batch into a prediction and a loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import l1_loss, mse_loss, smooth_l1_loss

from epigx.batch import Batch, Loss, Prediction
from epigx.config import Kind
from epigx.errors import DatasetError
from epigx.models import Model

__all__ = ["Distance", "Objective", "ObjectiveModule", "distance", "labels"]

Distance = Literal["l1", "smooth_l1", "mse"]


class ObjectiveModule(nn.Module):
    """The network side of an objective: the loss of a batch, and what to report about genes.

    Its parameters are trained along with the model's and are not needed for prediction.

    Parameters
    ----------
    config : Objective, optional
        Settings, kept as ``config``.
    background : sequence of int
        Indices of the background signals, kept as ``background``.
    """

    def __init__(self, config: Any = None, background: Sequence[int] = ()) -> None:
        super().__init__()
        self.config = config
        self.background = list(background)

    @abstractmethod
    def forward(self, model: Any, batch: Batch) -> tuple[Prediction, Loss]:
        """Predict a batch and compare the prediction with the labels."""

    def diagnostics(self, batch: Batch) -> dict[str, Tensor]:
        """Return values per gene to report, by name; the first axis of each tensor is the genes of the batch."""
        return {}

    def summarize(self, diagnostics: Mapping[str, Tensor]) -> dict[str, float]:
        """Turn what :meth:`diagnostics` returned for all validation genes into columns of the training log."""
        return {}


class Objective(Kind):
    """Settings of an objective. To add an objective, write a subclass with its own ``kind`` and ``build``."""

    group: ClassVar[str] = "epigx.objectives"
    renamed: ClassVar[Mapping[str, str]] = {  # in version 0.2.0
        "gene_patterns": "gene_specific_backdoor",
        "regressed_out": "residualize",
        "signal_adjustment": "input_backdoor",
    }

    @property
    def compares_genes(self) -> bool:
        """Whether the loss of a gene depends on the other genes of its batch."""
        return False

    @property
    def predictions(self) -> int:
        """Predictions per gene in a training step; time and memory are proportional to it."""
        return 1

    def check_length(self, window: int) -> None:
        """Raise ConfigError if the objective does not support windows of this length in bp; by default any will do."""

    @abstractmethod
    def build(self, model: Model, n_signals: int, background: tuple[int, ...] = ()) -> ObjectiveModule:
        """Return the objective's module with fresh weights; ``module(network, batch)`` is ``(Prediction, Loss)``.

        Parameters
        ----------
        model : Model
            Settings of the model that will be trained.
        n_signals : int
            Number of signals in the run's inputs.
        background : tuple of int
            Indices of the background signals.
        """


def distance(
    kind: Distance, predicted: Float[Tensor, " batch"], observed: Float[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return dist(predicted, observed) of Eq. 1, averaged over the genes.

    Parameters
    ----------
    kind : {"l1", "smooth_l1", "mse"}
        Absolute difference (the paper), smooth absolute difference (the official code) or squared difference.
    """
    measure = {"l1": l1_loss, "smooth_l1": smooth_l1_loss, "mse": mse_loss}[kind]
    return measure(predicted, observed)


def labels(batch: Batch) -> Float[Tensor, " batch"]:
    """Return the measured expression of the batch; DatasetError if it has none."""
    if batch.expression is None:
        raise DatasetError("This batch has no expression. Train on genes that have a measured label.")
    return batch.expression
