"""Objectives: the losses that models are trained with."""

from epigx.objectives.backdoor import Backdoor
from epigx.objectives.base import Objective, ObjectiveModule
from epigx.objectives.bottleneck import Bottleneck
from epigx.objectives.gene_specific_backdoor import GeneSpecificBackdoor
from epigx.objectives.input_backdoor import InputBackdoor
from epigx.objectives.regression import Regression
from epigx.objectives.residualize import Residualize
from epigx.objectives.risk_extrapolation import RiskExtrapolation
from epigx.objectives.signal_dropout import SignalDropout

__all__ = [
    "Backdoor",
    "Bottleneck",
    "GeneSpecificBackdoor",
    "InputBackdoor",
    "Objective",
    "ObjectiveModule",
    "Regression",
    "Residualize",
    "RiskExtrapolation",
    "SignalDropout",
]
