"""The paper's tables and figures as plans: each function returns an exhibit, which says what to train and to show."""

from epigx.recipes.paper.exhibit import Counts, Exhibit, Fitted, Impossible, Locus, Row, Scores, Trained
from epigx.recipes.paper.locus import figure4, genes_like_figure4
from epigx.recipes.paper.objective import table6
from epigx.recipes.paper.published import Published
from epigx.recipes.paper.readings import figure1a, figure1b, figure1c, table2, table3, table4, table5
from epigx.recipes.paper.study import Study
from epigx.recipes.paper.systems import table1, table7, table8

__all__ = [
    "Counts",
    "Exhibit",
    "Fitted",
    "Impossible",
    "Locus",
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
    "table1",
    "table2",
    "table3",
    "table4",
    "table5",
    "table6",
    "table7",
    "table8",
]
