"""The pages of the paper's tables and figures: TSV, Markdown, PNG and one offline HTML file each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from epigx.paper.study import Study
from epigx.report.drawing import png, svg
from epigx.report.tables import Table
from epigx.report.templates import template
from epigx.system.atomic import atomic_folder
from epigx.version import __version__

__all__ = ["Contents", "Section", "describe_study", "is_simulated", "markdown", "write_page"]


@dataclass(frozen=True)
class Section:
    """A table with its figures."""

    title: str  # empty where the page has only one section
    table: Table
    figures: Mapping[str, Figure] = field(default_factory=dict)  # by name, which ends the name of the figure's file


@dataclass(frozen=True)
class Contents:
    """The contents of a page."""

    name: str  # of the files
    title: str
    caption: str  # what a reader needs to know
    sections: tuple[Section, ...]  # tables and figures
    frame: pd.DataFrame  # the same numbers, for the TSV
    note: str = ""  # how to read the numbers
    about: str = ""  # dataset, scale, seeds and command
    simulated: bool = False  # whether the dataset is simulated
    missing: tuple[str, ...] = ()  # rows that lack runs, and why


def describe_study(study: Study, command: str) -> str:
    """Return dataset, scale, seeds, settings and command in one line."""
    kind = "simulated data, not a finding about cells" if is_simulated(study) else study.dataset.about.assembly
    seeds = f"seed{'s' * (len(study.seeds) > 1)} {', '.join(map(str, study.seeds))}"
    text = f"Test genes of {study.dataset.path} ({kind}); scale {study.scale}; {seeds}"
    settings = f"; settings: {', '.join(study.settings)}" if study.settings else ""
    return f"{text}{settings}. Made by `{command}`."


def is_simulated(study: Study) -> bool:
    """Whether the study's dataset is simulated."""
    return "simulated" in study.dataset.about.assembly.lower()


def write_page(contents: Contents, folder: Path) -> Path:
    """Write the folder of a table or figure, replacing an earlier one; it appears complete or not at all.

    Parameters
    ----------
    folder : Path
        The folder: ``<name>.tsv``, ``<name>.md``, ``<name>.html`` and a ``<name>-….png`` for each figure.
    """
    name = contents.name
    with atomic_folder(folder, replace=True) as partial:
        contents.frame.to_csv(partial / f"{name}.tsv", sep="\t", index=False)
        (partial / f"{name}.md").write_text(markdown(contents), encoding="utf-8")
        (partial / f"{name}.html").write_text(_html(contents), encoding="utf-8")
        for section in contents.sections:
            for which, figure in section.figures.items():
                (partial / f"{name}-{which}.png").write_bytes(png(figure))
    return folder / f"{name}.html"


def markdown(contents: Contents) -> str:
    """Return the page as Markdown; the best value is bold, the second underlined."""
    parts = [f"# {contents.title}", contents.caption, contents.about]
    for section in contents.sections:
        parts += [f"## {section.title}" if section.title else "", _markdown_table(section.table)]
    return "\n\n".join(filter(None, [*parts, *(f"* {line}" for line in contents.missing)])) + "\n"


def _html(contents: Contents) -> str:
    sections = [
        {
            "title": section.title,
            "table": section.table,
            "pictures": [svg(figure, f"{contents.name}-{name}") for name, figure in section.figures.items()],
        }
        for section in contents.sections
    ]
    about = contents.about.replace("`", "")
    return template("paper.html").render(version=__version__, page=contents, sections=sections, about=about)


def _markdown_table(table: Table) -> str:
    """Return a table whose source is aligned; ``DataFrame.to_markdown`` would align by the width of the marks too."""
    rows = [table.head, *(_marked(table, index) for index in range(len(table.rows)))]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*escaped, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)).rstrip() + " |" for row in escaped]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _marked(table: Table, row: int) -> tuple[str, ...]:
    def mark(column: int, cell: str) -> str:
        if (row, column) in table.best:
            return f"**{cell}**"
        return f"<u>{cell}</u>" if (row, column) in table.second else cell

    return tuple(mark(column, cell) for column, cell in enumerate(table.rows[row]))
