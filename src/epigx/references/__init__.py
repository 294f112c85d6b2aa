"""What users would pick instead of a network, fitted on the genes and inputs that a network reads."""

from epigx.references.activity import PromoterActivity
from epigx.references.base import Reference
from epigx.references.boosting import GradientBoosting
from epigx.references.fit import fit_reference
from epigx.references.ridge import Ridge

__all__ = ["GradientBoosting", "PromoterActivity", "Reference", "Ridge", "fit_reference"]
