"""``write_exhibit``: results to a folder of TSV, Markdown, HTML and PNG."""

from __future__ import annotations

from pathlib import Path

from epigx.paper.pages.contents import Results
from epigx.paper.pages.markdown import markdown
from epigx.paper.pages.page import draw, page
from epigx.paper.pages.tables import frame
from epigx.report.drawing import png
from epigx.system.atomic import atomic_folder

__all__ = ["write_exhibit"]


def write_exhibit(results: Results, folder: Path) -> Path:
    """Write an exhibit's folder, in place of an earlier one; it is there with all it holds, or not at all.

    Parameters
    ----------
    results : Results
        The exhibit.
    folder : Path
        Its folder, ``<name>.tsv``, ``<name>.md``, ``<name>.html`` and a ``<name>-….png`` for each figure.

    Returns
    -------
    Path
        The HTML page.
    """
    name, drawn = results.exhibit.name, draw(results)
    with atomic_folder(folder, replace=True) as partial:
        frame(results).to_csv(partial / f"{name}.tsv", sep="\t", index=False)
        (partial / f"{name}.md").write_text(markdown(results), encoding="utf-8")
        (partial / f"{name}.html").write_text(page(results, drawn), encoding="utf-8")
        for which, figure in drawn.items():
            (partial / f"{name}-{which}.png").write_bytes(png(figure))
    return folder / f"{name}.html"
