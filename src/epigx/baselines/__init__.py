"""What users would pick instead of a network, fitted on the genes and inputs that a network reads."""

from epigx.baselines.activity import PromoterActivity
from epigx.baselines.base import Reference
from epigx.baselines.boosting import GradientBoosting
from epigx.baselines.fit import fit_reference
from epigx.baselines.ridge import Ridge

__all__ = ["GradientBoosting", "PromoterActivity", "Reference", "Ridge", "fit_reference"]
