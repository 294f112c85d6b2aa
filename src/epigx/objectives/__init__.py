"""Prediction to loss."""

from epigx.objectives.backdoor import Backdoor
from epigx.objectives.base import Objective
from epigx.objectives.bottleneck import Bottleneck
from epigx.objectives.gene_specific_backdoor import GenePatterns
from epigx.objectives.input_backdoor import SignalAdjustment
from epigx.objectives.regression import Regression
from epigx.objectives.residualize import RegressedOut
from epigx.objectives.risk_extrapolation import RiskExtrapolation
from epigx.objectives.signal_dropout import SignalDropout

__all__ = [
    "Backdoor",
    "Bottleneck",
    "GenePatterns",
    "Objective",
    "RegressedOut",
    "Regression",
    "RiskExtrapolation",
    "SignalAdjustment",
    "SignalDropout",
]
