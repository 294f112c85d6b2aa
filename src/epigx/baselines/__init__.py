"""What a user would try before a network, on the genes and inputs that a network reads; nothing here imports torch."""

from epigx.baselines.activity import PromoterActivity
from epigx.baselines.boosting import GradientBoosting
from epigx.baselines.columns import Columns
from epigx.baselines.ridge import Ridge

__all__ = ["Columns", "GradientBoosting", "PromoterActivity", "Ridge"]
