"""The style of all figures, and their conversion to SVG and PNG.

Text and axes are drawn in one colour that the page replaces by its own text colour, so that figures are legible on a
light and on a dark background. Data have the colour-blind safe colours of Okabe and Ito; a signal has the same colour
in every figure.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PURPLE",
    "SHADES",
    "VERMILLION",
    "canvas",
    "png",
    "signal_colours",
    "svg",
]

INK = "#24292f"
ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = "#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7"
GREY = "#8b949e"

# Without the ends of the map, which would vanish on a dark or on a light background.
SHADES = ListedColormap(mpl.colormaps["viridis"](np.linspace(0.22, 0.92, 256)))

_FIXED = {"h3k27ac": ORANGE, "dnase": BLUE, "atac": BLUE, "hic": GREEN}
_OTHERS = (PURPLE, SKY, VERMILLION, GREY)

# Any, because the type of rc_context lists every key.
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "grid.color": INK,
    "grid.alpha": 0.14,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",
}


def signal_colours(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of each signal: fixed for the paper's signals, by order for others."""
    others = [name for name in names if name.lower() not in _FIXED]
    return {name: _FIXED.get(name.lower()) or _OTHERS[others.index(name) % len(_OTHERS)] for name in names}


@contextmanager
def canvas(
    columns: int = 1, *, rows: int = 1, width: float, height: float, ratios: Sequence[float] | None = None
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Create a figure with its axes side by side, or below each other, in the style of the report.

    Parameters
    ----------
    columns, rows : int
        Numbers of axes; one of the two is 1.
    ratios : sequence of float, optional
        Relative widths of the columns, or heights of the rows.
    """
    grid = {"height_ratios" if rows > 1 else "width_ratios": ratios}
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, gridspec_kw=grid)
        yield figure, list(axes.flat)


def svg(figure: Figure, name: str) -> str:
    """Return a figure as an ``<svg>`` element, the same bytes for the same figure.

    Parameters
    ----------
    name : str
        Makes the element ids unique on a page.
    """
    text = io.StringIO()
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    element = text.getvalue()
    element = element[element.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    for size in ("width", "height"):  # the page sets the size
        element = re.sub(rf'(<svg[^>]*?) {size}="[^"]*"', r"\1", element, count=1)
    element = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", element)
    width = figure.get_size_inches()[0]
    return element.replace(INK, "currentColor").replace("<svg", f'<svg style="max-width: {width * 96:.0f}px"', 1)


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG with a white background."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=150, facecolor="white", metadata={"Software": None})
    return data.getvalue()
