"""What a reference is: settings that turn labelled windows into a function from windows to expression."""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epigx.config import Kind
from epigx.dataset.windows import Windows
from epigx.errors import RunError

__all__ = ["Predict", "Reference", "sklearn"]

Predict = Callable[[Windows], NDArray[np.float64]]
"""From windows to predicted log10(1 + x), float64 (window,)."""


class Reference(Kind):
    """Settings of a reference; a new one is a subclass with its own ``kind`` and ``fit``."""

    @abstractmethod
    def fit(self, train: Windows, valid: Windows) -> Predict:
        """Learn from labelled windows; nothing is random.

        Parameters
        ----------
        train, valid : Windows
            What to fit on, and what to choose settings on.
        """


def sklearn(module: str) -> Any:
    """Import a part of scikit-learn.

    Raises
    ------
    RunError
        It is not installed.
    """
    try:
        found: ModuleType = importlib.import_module(f"sklearn.{module}")
    except ImportError:
        raise RunError(
            "Ridge and gradient boosting need scikit-learn, which is not installed: pip install 'epigx[references]'."
        ) from None
    return found
