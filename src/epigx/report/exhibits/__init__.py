"""The paper's tables and figures as files: TSV, Markdown, pictures and one offline HTML page each."""

from epigx.report.exhibits.contents import (
    CountResults,
    LocusGene,
    LocusResults,
    Results,
    RowResult,
    ScoreResults,
    Terms,
)
from epigx.report.exhibits.write import write_exhibit

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
