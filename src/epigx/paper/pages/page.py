"""The page of an exhibit: its tables, its figures and how it was made, in one offline HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matplotlib.figure import Figure

from epigx.paper.pages import figures
from epigx.paper.pages.contents import CountResults, LocusResults, Results, ScoreResults
from epigx.paper.pages.markdown import about
from epigx.paper.pages.tables import count_table, locus_table, missing, score_table
from epigx.report.drawing import svg
from epigx.report.tables import Table
from epigx.report.templates import template
from epigx.version import __version__

__all__ = ["draw", "page"]


@dataclass(frozen=True)
class _Section:
    title: str
    table: Table
    pictures: tuple[str, ...]


def draw(results: Results) -> dict[str, Figure]:
    """Return the figures of an exhibit by name: one a cell type, or one a gene."""
    if isinstance(results, CountResults):
        return {}
    if isinstance(results, LocusResults):
        return {f"{gene.cell_type}-{gene.gene_id}": figures.locus(gene) for gene in results.genes}
    found = {}
    for cell_type in dict.fromkeys(result.row.cell_type for result in results.rows):
        rows = [result for result in results.rows if result.row.cell_type == cell_type]
        if any(result.scores for result in rows):
            axis = results.exhibit.axis
            found[cell_type] = figures.curves(rows, axis) if axis else figures.marks(rows)
    return found


def page(results: Results, drawn: Mapping[str, Figure]) -> str:
    """Return the page.

    Parameters
    ----------
    results : Results
        The exhibit.
    drawn : mapping of str to Figure
        What :func:`draw` made of it.
    """
    elements = {name: svg(figure, f"{results.exhibit.name}-{name}") for name, figure in drawn.items()}
    return template("exhibit.html").render(
        version=__version__,
        exhibit=results.exhibit,
        about=about(results).replace("`", ""),
        simulated=not isinstance(results, CountResults) and results.terms.simulated,
        sections=_sections(results, elements),
        missing=missing(results) if isinstance(results, ScoreResults) else [],
        scores=isinstance(results, ScoreResults),
    )


def _sections(results: Results, elements: Mapping[str, str]) -> list[_Section]:
    if isinstance(results, CountResults):
        return [_Section("", count_table(results), ())]
    if isinstance(results, LocusResults):
        return [_Section("", locus_table(results), tuple(elements.values()))]
    return [
        _Section(cell, score_table(results, cell), (elements[cell],) if cell in elements else ())
        for cell in dict.fromkeys(result.row.cell_type for result in results.rows)
    ]
