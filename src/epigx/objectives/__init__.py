"""Prediction to loss."""

from epigx.objectives.backdoor import Backdoor
from epigx.objectives.base import Objective
from epigx.objectives.regression import Regression

__all__ = ["Backdoor", "Objective", "Regression"]
