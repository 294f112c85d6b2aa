"""Exhibits as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from epigx.paper.pages.contents import CountResults, LocusResults, Results
from epigx.paper.pages.tables import count_table, locus_table, missing, score_table
from epigx.report.tables import Table

__all__ = ["about", "markdown", "markdown_table"]


def markdown(results: Results) -> str:
    """Return a heading, what has to be known, and the tables; the best in bold, the second underlined."""
    exhibit = results.exhibit
    parts = [f"# {exhibit.title}", exhibit.caption]
    if isinstance(results, CountResults):
        return _joined([*parts, markdown_table(count_table(results))])
    parts.append(about(results))
    if isinstance(results, LocusResults):
        return _joined([*parts, markdown_table(locus_table(results))])
    for cell_type in dict.fromkeys(result.row.cell_type for result in results.rows):
        parts += [f"## {cell_type}", markdown_table(score_table(results, cell_type))]
    return _joined([*parts, *(f"* {line}" for line in missing(results))])


def about(results: Results) -> str:
    """Say on what terms an exhibit was made."""
    if isinstance(results, CountResults):
        return ""
    terms = results.terms
    kind = "simulated data, which say nothing of cells" if terms.simulated else terms.assembly
    seeds = f"seed{'s' * (len(terms.seeds) > 1)} {', '.join(map(str, terms.seeds))}"
    said = f"Test genes of {terms.data} ({kind}); scale {terms.scale}; {seeds}"
    return said + (f"; set: {', '.join(terms.settings)}" if terms.settings else "") + f". Made by `{terms.command}`."


def markdown_table(table: Table) -> str:
    """Return a table, aligned so that its source can be read too."""
    rows = [tuple(map(_escaped, table.head)), *(_marked(table, number) for number in range(len(table.rows)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _marked(table: Table, number: int) -> tuple[str, ...]:
    def mark(column: int, cell: str) -> str:
        if (number, column) in table.best:
            return f"**{cell}**"
        return f"<u>{cell}</u>" if (number, column) in table.second else cell

    return tuple(mark(column, _escaped(cell)) for column, cell in enumerate(table.rows[number]))


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"
