"""The paper's tables and figures: each function returns one, which knows its runs and lays out its page."""

from epigx.paper.gene_panel import GenePanel, figure4, genes_like_figure4
from epigx.paper.plan import RULE, PlannedRun, TableOrFigure, plan, reproduce
from epigx.paper.published import Published
from epigx.paper.scores import Row, ScoreTable
from epigx.paper.study import Study, System
from epigx.paper.tables import (
    figure1a,
    figure1b,
    figure1c,
    table1,
    table2,
    table3,
    table4,
    table5,
    table6,
    table7,
    table8,
)

__all__ = [
    "RULE", "GenePanel", "PlannedRun", "Published", "Row", "ScoreTable", "Study", "System", "TableOrFigure",
    "figure1a", "figure1b", "figure1c", "figure4", "genes_like_figure4", "plan", "reproduce",
    "table1", "table2", "table3", "table4", "table5", "table6", "table7", "table8",
]  # fmt: skip
