"""Prediction to loss."""

from epigx.objectives.backdoor import Backdoor
from epigx.objectives.base import Objective
from epigx.objectives.bottleneck import Bottleneck
from epigx.objectives.regression import Regression

__all__ = ["Backdoor", "Bottleneck", "Objective", "Regression"]
