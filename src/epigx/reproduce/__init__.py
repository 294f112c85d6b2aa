"""The paper's exhibits, from a plan of runs to their pages."""

from epigx.reproduce.plan import RULE, PlannedRun, plan
from epigx.reproduce.run import reproduce

__all__ = ["RULE", "PlannedRun", "plan", "reproduce"]
