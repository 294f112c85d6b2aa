"""Baselines, which read the same genes and inputs as networks; nothing here imports torch."""

from epigx.baselines.activity import PromoterActivity
from epigx.baselines.boosting import GradientBoosting
from epigx.baselines.columns import Columns
from epigx.baselines.ridge import Ridge

__all__ = ["Columns", "GradientBoosting", "PromoterActivity", "Ridge"]
