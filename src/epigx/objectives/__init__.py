"""Prediction to loss."""

from epigx.objectives.backdoor import Backdoor
from epigx.objectives.base import Objective
from epigx.objectives.bottleneck import Bottleneck
from epigx.objectives.gene_patterns import GenePatterns
from epigx.objectives.regressed_out import RegressedOut
from epigx.objectives.regression import Regression
from epigx.objectives.risk_extrapolation import RiskExtrapolation
from epigx.objectives.signal_adjustment import SignalAdjustment
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
