"""The paper's tables and figures as files: TSV, Markdown, pictures and one offline HTML page each."""

from epigx.paper.pages.contents import (
    CountResults,
    LocusGene,
    LocusResults,
    Results,
    RowResult,
    ScoreResults,
    Terms,
)
from epigx.paper.pages.write import write_exhibit

__all__ = [
    "CountResults",
    "LocusGene",
    "LocusResults",
    "Results",
    "RowResult",
    "ScoreResults",
    "Terms",
    "write_exhibit",
]
