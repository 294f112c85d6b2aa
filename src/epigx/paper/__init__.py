"""The paper's tables and figures as plans: each function returns an exhibit, which says what to train and to show."""

from epigx.paper.figure4 import figure4, genes_like_figure4
from epigx.paper.items import Counts, Exhibit, Impossible, Locus, Row, Scores, Trained
from epigx.paper.objective import table6
from epigx.paper.plan import RULE, PlannedRun, plan
from epigx.paper.published import Published
from epigx.paper.readings import figure1a, figure1b, figure1c, table2, table3, table4, table5
from epigx.paper.reproduce import reproduce
from epigx.paper.study import Study
from epigx.paper.systems import table1, table7, table8

__all__ = [
    "RULE",
    "Counts",
    "Exhibit",
    "Impossible",
    "Locus",
    "PlannedRun",
    "Published",
    "Row",
    "Scores",
    "Study",
    "Trained",
    "figure1a",
    "figure1b",
    "figure1c",
    "figure4",
    "genes_like_figure4",
    "plan",
    "reproduce",
    "table1",
    "table2",
    "table3",
    "table4",
    "table5",
    "table6",
    "table7",
    "table8",
]
