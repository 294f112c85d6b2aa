"""The drawings: scores with their spread over seeds, and genes with their signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from epigx.paper.published import own_cell_type
from epigx.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION, canvas, signal_colours
from epigx.report.figures import PANELS

if TYPE_CHECKING:
    from epigx.paper.gene_panel import PanelGene
    from epigx.paper.scores import RowResult

__all__ = ["curves", "gene_panel", "marks"]

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILLION)


def marks(rows: Sequence[RowResult]) -> Figure:
    """Draw the rows of a cell type below each other: mean and standard deviation over seeds, and the paper's number."""
    groups = list(dict.fromkeys(result.row.group for result in rows))
    labels = [" · ".join(filter(None, (result.row.group, result.row.label))) for result in rows]
    positions = np.arange(len(rows))[::-1]
    with canvas(2, width=8.6, height=1.0 + 0.27 * len(rows)) as (figure, both):
        for axes, (metric, title) in zip(both, PANELS.items(), strict=True):
            for y, result in zip(positions, rows, strict=True):
                colour = COLOURS[groups.index(result.row.group) % len(COLOURS)]
                _mark(axes, result, metric, float(y), colour)
                if result.row.baseline and result.scores:
                    axes.axvline(result.mean(metric), color=colour, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
            axes.set(title=title, yticks=positions, yticklabels=labels if axes is both[0] else [])
            axes.set_ylim(-0.6, len(rows) - 0.4)
            axes.grid(visible=True, axis="x")
        _legend(figure, both[0], rows)
    return figure


def _mark(axes: Axes, result: RowResult, metric: str, y: float, colour: str) -> None:
    if result.scores:
        spread = result.deviation(metric) or 0.0
        axes.errorbar(
            result.mean(metric), y, xerr=spread, fmt="o", color=colour, markersize=5, elinewidth=1.6, capsize=2.5
        )
    printed = _paper(result, metric)
    if printed is not None:
        axes.plot([printed], [y], "D", markersize=5, color="none", mec=GREY, mew=1.3)


def curves(rows: Sequence[RowResult], axis: str) -> Figure:
    """Draw the rows of a cell type over :attr:`Row.x`, one curve per group."""
    groups = list(dict.fromkeys(result.row.group for result in rows))
    with canvas(2, width=8.2, height=3.0) as (figure, both):
        for axes, (metric, title) in zip(both, PANELS.items(), strict=True):
            for group, colour in zip(groups, COLOURS, strict=False):
                mine = [result for result in rows if result.row.group == group and result.scores]
                x = [float(result.row.x or 0) for result in mine]
                axes.errorbar(
                    x, [r.mean(metric) for r in mine], yerr=[r.deviation(metric) or 0.0 for r in mine],
                    fmt="o-", color=colour, markersize=4.5, elinewidth=1.4, capsize=2.5, label=group or "here",
                )  # fmt: skip
                printed = [(r.row.x, _paper(r, metric)) for r in mine if _paper(r, metric) is not None]
                if printed:
                    axes.plot(*zip(*printed, strict=True), "D--", markersize=4.5, mfc="none", color=colour, alpha=0.6,
                              linewidth=1, label=f"{group}, paper".removeprefix(", "))  # fmt: skip
            axes.set(title=title, xlabel=axis, xscale="log")
            ticks = sorted({result.row.x for result in rows if result.row.x})
            axes.set_xticks(_spaced(ticks))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.minorticks_off()
            axes.grid(visible=True)
        if len(both[0].get_legend_handles_labels()[0]) > 1:
            both[0].legend()
    return figure


def _spaced(ticks: Sequence[float]) -> list[float]:
    """Leave out ticks whose labels would overlap; keep the last."""
    kept: list[float] = []
    for tick in reversed(ticks):
        if not kept or kept[-1] / tick >= 1.35:
            kept.append(tick)
    return kept[::-1]


def _paper(result: RowResult, metric: str) -> float | None:
    """Return the paper's number if it is of the same cell type, and so comparable on one axis."""
    return None if own_cell_type(result.row.cell_type) is None else result.paper(metric)


def _legend(figure: Figure, axes: Axes, rows: Sequence[RowResult]) -> None:
    if any(_paper(result, "mse") is not None for result in rows):
        axes.plot([], [], "o", color=INK, markersize=5, label="here: mean ± standard deviation over seeds")
        axes.plot([], [], "D", markersize=5, color="none", mec=GREY, mew=1.3, label="paper")
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def gene_panel(gene: PanelGene) -> Figure:
    """Draw a gene: its TSS and its neighbours', each signal around it, and expression."""
    names = list(gene.signals)
    colours = signal_colours(names)
    heights = [0.55, *[1.0] * len(names), 0.5 + 0.32 * (1 + len(gene.predicted))]
    with canvas(rows=len(heights), ratios=heights, width=7.0, height=0.6 + 0.85 * sum(heights)) as (figure, axes):
        top, *tracks, bottom = axes
        half = len(next(iter(gene.signals.values()))) // 2
        _gene_model(top, gene, half)
        for track, name in zip(tracks, names, strict=True):
            values = gene.signals[name]
            at = np.arange(len(values)) - half
            track.fill_between(at, values, step="mid", color=colours[name], linewidth=0)
            track.set(xlim=(-half, half), ylim=(0, 1.15 * max(gene.tops[name], float(values.max()), 1e-9)))
            track.axvspan(-gene.window / 2, gene.window / 2, color=GREY, alpha=0.18, linewidth=0)
            track.axhline(gene.tops[name], color=INK, linewidth=0.7, linestyle=(0, (4, 3)), alpha=0.6)
            track.set_ylabel(name, rotation=0, ha="right", va="center")
            if track is not tracks[-1]:
                track.set_xticklabels([])
        tracks[-1].set_xlabel(f"bp from the TSS at {gene.chrom}:{gene.tss + 1:,}")
        _expression(bottom, gene)
    return figure


def _gene_model(axes: Axes, gene: PanelGene, half: int) -> None:
    """Draw an arrow from each TSS in the direction of its gene; a dataset has no exons."""
    for at, strand, symbol, colour in ((0, gene.strand, gene.symbol, INK), *((*n, GREY) for n in gene.neighbours)):
        end = np.clip(at + (0.3 if strand == "+" else -0.3) * half, -half, half)
        axes.plot([at, at], [0, 0.5], color=colour, linewidth=1.2)
        axes.annotate("", (end, 0.5), (at, 0.5), arrowprops={"arrowstyle": "-|>", "color": colour, "shrinkA": 0})
        axes.text(at, 0.62, symbol, color=colour, fontsize=8, ha="center", va="bottom")
    axes.set(xlim=(-half, half), ylim=(0, 1), yticks=[], xticks=[])
    axes.set_title(f"{gene.symbol} ({gene.gene_id}), {gene.cell_type}")
    axes.spines["left"].set_visible(False)


def _expression(axes: Axes, gene: PanelGene) -> None:
    rows = [("observed", np.array([gene.observed]), INK)]
    rows += [(label, values, colour) for (label, values), colour in zip(gene.predicted.items(), COLOURS, strict=False)]
    for y, (_, values, colour) in enumerate(reversed(rows)):
        axes.plot(values, np.full(len(values), y), "o", color=colour, markersize=3.5, alpha=0.45)
        axes.plot([values.mean()], [y], "o", color=colour, markersize=7)
    axes.axvline(gene.observed, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
    highest = max(float(values.max()) for _, values, _ in rows)
    lowest = min(float(values.min()) for _, values, _ in rows)
    axes.set(yticks=range(len(rows)), yticklabels=[label for label, *_ in reversed(rows)], ylim=(-0.6, len(rows) - 0.4))
    axes.set(xlabel="expression, log₁₀(1 + x)", xlim=(min(0.0, 1.1 * lowest), max(1.0, 1.1 * highest)))
    axes.grid(visible=True, axis="x")
