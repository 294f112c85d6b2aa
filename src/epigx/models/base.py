"""What a model is: a network that turns a batch into a prediction."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from epigx.batch import Need
from epigx.config import Kind

__all__ = ["Model", "Need"]


class Model(Kind):
    """Settings of a model; a new model is a subclass with its own ``kind`` and ``build``."""

    @property
    def n_encoded(self) -> int:
        """Encoded-signal channels d′; 0 when the model encodes no signals, and so cannot be intervened on."""
        return 0

    @property
    def needs(self) -> frozenset[Need]:
        """Fields of the batch that it reads beside DNA, signals and features; a dataset may lack them."""
        return frozenset()

    @abstractmethod
    def build(self, n_signals: int, n_features: int, window: int) -> nn.Module:
        """Return the network with fresh weights; called with a :class:`~epigx.batch.Batch`, it gives a ``Prediction``.

        Parameters
        ----------
        n_signals, n_features : int
            Signals and features that the run's inputs have.
        window : int, bp
            Length of the windows that it is trained on.
        """
