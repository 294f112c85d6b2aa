"""The base class of models: networks that turn a batch into a prediction."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from epigx.batch import Need
from epigx.config import Kind

__all__ = ["Cost", "Model", "Need"]


@dataclass(frozen=True)
class Cost:
    """Rough cost of one prediction for one gene."""

    weights: int
    """Weights that are applied at each position."""
    positions: int
    """Positions that the network reads."""
    bytes_per_gene: float
    """Memory of the hidden states that training keeps for the backward pass, in bytes."""


class Model(Kind):
    """Settings of a model. To add a model, write a subclass with its own ``kind`` and ``build``."""

    group: ClassVar[str] = "epigx.models"

    @property
    def n_encoded(self) -> int:
        """Encoded-signal channels d′; 0 if the model encodes no signals and an objective cannot intervene on them."""
        return 0

    @property
    def needs(self) -> frozenset[Need]:
        """Optional fields of the batch that the model reads, besides DNA, signals and features."""
        return frozenset()

    @property
    def makes_mask(self) -> bool:
        """Whether the network has ``select``, which returns a mask of the window and its distribution."""
        return False

    def cost(self, window: int, weights: int, n_elements: int = 61) -> Cost:
        """Estimate the cost of one prediction; by default that of a network as large as four Mamba layers.

        Parameters
        ----------
        window : int, bp
            Length of the windows.
        n_elements : int
            Regulatory elements per gene, including the promoter, if the dataset has elements.
        """
        return Cost(weights, window, 36_000.0 * window)

    @abstractmethod
    def build(self, n_signals: int, n_features: int, window: int) -> nn.Module:
        """Return the network with fresh weights; it maps a :class:`~epigx.batch.Batch` to a ``Prediction``.

        Parameters
        ----------
        n_signals, n_features : int
            Number of signals and features in the run's inputs.
        window : int, bp
            Length of the training windows.
        """
