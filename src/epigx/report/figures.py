"""The figures of the report: each function draws one figure from arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from epigx.metrics import METRICS, Estimate
from epigx.report.drawing import BLUE, GREEN, INK, ORANGE, PURPLE, SHADES, VERMILLION, canvas, signal_colours

__all__ = [
    "LOSSES",
    "PANELS",
    "comparison",
    "coverage",
    "expression_histogram",
    "learning_curves",
    "patterns",
    "predicted_observed",
    "signal_drop",
    "split_bars",
]

LOSSES: dict[str, tuple[str, str, Any]] = {
    "prediction": ("L₁ prediction", BLUE, "-"),
    "intervention": ("L₂ intervention", ORANGE, (0, (4, 2))),
    "diversity": ("L₃ diversity", GREEN, "-"),
}
"""Terms of the loss by name in the log: name in the paper, colour and line style."""

PANELS: dict[str, str] = {
    name: f"{METRICS[name].label} ({'higher' if METRICS[name].higher_is_better else 'lower'} is better)"
    for name in ("mse", "pearson")
}
"""The metrics that figures show, with the titles of their axes."""

Values = NDArray[np.floating[Any]]


def learning_curves(losses: pd.DataFrame, validation: pd.Series, chosen: int | None) -> Figure:
    """Draw the terms of the loss and the validation error over training.

    Parameters
    ----------
    losses : DataFrame
        Indexed by step, one column per term.
    validation : Series
        Mean squared error on the validation genes, indexed by step.
    """
    errors = [term for term in map(str, losses) if term not in ("diversity", "total")]
    panels = [("Loss", errors)] + ([("Loss, diversity", ["diversity"])] if "diversity" in losses else [])
    with canvas(len(panels) + 1, width=2.7 * len(panels) + 3.2, height=2.7) as (figure, (*lefts, right)):
        for axes, (title, terms) in zip(lefts, panels, strict=True):
            for term in terms:
                label, colour, dashes = LOSSES.get(term, (term, PURPLE, "-"))
                axes.plot(losses.index, losses[term], color=colour, linestyle=dashes, label=label)
            axes.set(title=title, xlabel="step", ylabel="mean per gene" if axes is lefts[0] else "")
            axes.legend()
        right.plot(validation.index, validation, color=INK, marker="o", markersize=3)
        right.set(title="Validation", xlabel="step", ylabel="MSE")
        if chosen is not None and chosen in validation.index:
            kept = validation.loc[chosen]
            right.plot([chosen], [kept], "o", markersize=9, color="none", mec=VERMILLION, mew=1.8)
            right.set_title(f"kept: step {chosen:,}", loc="right", color=VERMILLION, fontweight="normal")
        for axes in (*lefts, right):
            axes.grid(visible=True)
            axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    return figure


def predicted_observed(observed: Values, predicted: Values, scores: Mapping[str, Estimate]) -> Figure:
    """Draw predictions against measurements as hexagons, with the scores and their intervals."""
    with canvas(width=4.4, height=3.9) as (figure, (axes,)):
        low, high = float(min(observed.min(), predicted.min())), float(max(observed.max(), predicted.max()))
        pad = 0.03 * (high - low) or 0.5
        extent = (low - pad, high + pad, low - pad, high + pad)
        hexagons = axes.hexbin(
            observed, predicted, gridsize=32, extent=extent, mincnt=1, bins="log", cmap=SHADES, linewidths=0.1
        )
        axes.plot(extent[:2], extent[:2], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
        axes.set(
            xlabel="observed log₁₀(1 + x)",
            ylabel="predicted log₁₀(1 + x)",
            xlim=extent[:2],
            ylim=extent[2:],
            aspect="equal",
        )
        bar = figure.colorbar(hexagons, ax=axes, shrink=0.7, pad=0.02)
        bar.set_label("genes")
        steps = [
            count for count in (1, 2, 5, 10, 20, 50, 100, 200, 500) if count <= np.max(np.asarray(hexagons.get_array()))
        ]
        bar.set_ticks(steps, labels=[str(count) for count in steps])
        bar.minorticks_off()
        bar.outline.set_visible(False)
        lines = [f"{_SYMBOLS[name]} = {_interval(scores[name])}" for name in _SYMBOLS if name in scores]
        axes.text(0.02, 0.98, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=8)
    return figure


def signal_drop(drops: Mapping[str, Mapping[str, Estimate]], colours: Sequence[str]) -> Figure:
    """Draw the scores with all signals and with each signal set to zero (the paper's Table 5).

    Parameters
    ----------
    drops : mapping of str to mapping of str to Estimate
        Scores by the name of the arm and by metric; the first arm has all signals.
    """
    labels = list(drops)
    positions = np.arange(len(drops))[::-1]
    with canvas(2, width=7.6, height=0.9 + 0.36 * len(drops)) as (figure, both):
        for axes, (name, title) in zip(both, PANELS.items(), strict=True):
            values = [drop[name] for drop in drops.values()]
            centre = np.array([v.value for v in values])
            reach = np.abs(np.array([[v.value - v.low for v in values], [v.high - v.value for v in values]]))
            axes.barh(positions, centre, height=0.62, color=list(colours), alpha=0.9)
            axes.errorbar(
                centre, positions, xerr=np.nan_to_num(reach), fmt="none", ecolor=INK, elinewidth=1, capsize=2.5
            )
            axes.axvline(centre[0], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
            axes.set(title=title, yticks=positions, yticklabels=labels if name == "mse" else [])
            axes.grid(visible=True, axis="x")
    return figure


def patterns(weights: Values, cosine: Values) -> Figure:
    """Draw the background patterns a_i of the genes, and how similar the patterns of a gene are.

    Parameters
    ----------
    weights : ndarray, (gene, pattern, encoded)
        The patterns.
    cosine : ndarray, (gene,)
        Mean cosine between the patterns of each gene.
    """
    n = weights.shape[1]
    genes = np.argsort(weights.mean(axis=(1, 2)), kind="stable")
    channels = np.argsort(weights.mean(axis=(0, 1)), kind="stable")
    with canvas(n + 1, width=2.6 * n + 2.9, height=3.1, ratios=[*[1.0] * n, 0.8]) as (figure, axes):
        highest = max(1e-9, float(weights.max()))
        for pattern in range(n):
            shown = weights[genes, pattern][:, channels]
            image = axes[pattern].imshow(
                shown, aspect="auto", cmap=SHADES, interpolation="nearest", vmin=0.0, vmax=highest
            )
            axes[pattern].set(title=f"Pattern {pattern + 1}", xlabel="encoded channel (sorted)")
            axes[pattern].set(ylabel="gene (sorted)" if pattern == 0 else "", xticks=[], yticks=[])
        figure.colorbar(image, ax=axes[:n], shrink=0.8, pad=0.02).outline.set_visible(False)
        _histogram(axes[n], cosine, colour=PURPLE)
        axes[n].set(title="Within a gene", xlabel="cosine of its patterns", ylabel="genes")
    return figure


def coverage(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw the share of bases with signal, by cell type and signal."""
    cells, signals = list(shares), list(next(iter(shares.values())))
    colours = signal_colours(signals)
    rows = [(cell, signal) for cell in cells for signal in signals]
    positions = np.arange(len(rows))[::-1]
    with canvas(width=4.2, height=0.8 + 0.3 * len(rows)) as (figure, (axes,)):
        values = np.array([shares[cell][signal] for cell, signal in rows])
        axes.barh(positions, 100 * values, height=0.62, color=[colours[signal] for _, signal in rows])
        for y, value in zip(positions, values, strict=True):
            axes.text(min(100 * value + 1.5, 101), y, f"{value:.1%}", va="center", fontsize=8)
        labels = [f"{signal} · {cell}" if len(cells) > 1 else signal for cell, signal in rows]
        axes.set(
            title="Bases with signal",
            xlabel="% of all window bases above zero",
            yticks=positions,
            yticklabels=labels,
            xlim=(0, 116),
        )
        axes.set_xticks(range(0, 101, 25))
        axes.grid(visible=True, axis="x")
    return figure


def expression_histogram(labels: Mapping[str, Values]) -> Figure:
    """Draw the distribution of the labels of each cell type."""
    with canvas(width=4.2, height=2.6) as (figure, (axes,)):
        known = {cell: values[np.isfinite(values)] for cell, values in labels.items()}
        edges = np.histogram_bin_edges(np.concatenate([*known.values(), [0.0, 1.0]]), bins=40)
        for (cell, values), colour in zip(known.items(), _cycle(len(known)), strict=True):
            axes.hist(values, bins=edges.tolist(), histtype="stepfilled", alpha=0.35, color=colour, label=cell)
            axes.hist(values, bins=edges.tolist(), histtype="step", linewidth=1.2, color=colour)
        axes.set(title="Labels", xlabel="expression, log₁₀(1 + x)", ylabel="genes")
        axes.grid(visible=True, axis="y")
        if len(known) > 1:
            axes.legend()
    return figure


def split_bars(counts: Mapping[str, int], unlabelled: Mapping[str, int]) -> Figure:
    """Draw the number of genes of each split, with and without a label."""
    with canvas(width=4.2, height=2.0) as (figure, (axes,)):
        positions = np.arange(len(counts))[::-1]
        missing = np.array([unlabelled[name] for name in counts])
        total = np.array(list(counts.values()))
        axes.barh(positions, total - missing, height=0.6, color=BLUE, label="with a label")
        axes.barh(positions, missing, left=total - missing, height=0.6, color=ORANGE, label="without a label")
        for y, count in zip(positions, total, strict=True):
            axes.text(count, y, f" {count:,}", va="center", fontsize=8)
        axes.set(title="Genes of each split", xlabel="genes", yticks=positions, yticklabels=list(counts))
        axes.margins(x=0.18)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
        axes.grid(visible=True, axis="x")
        axes.legend(loc="lower right", fontsize=8)
    return figure


def comparison(scores: Mapping[str, Mapping[str, Estimate]]) -> Figure:
    """Draw the scores of several runs with their intervals, one row per run."""
    positions = np.arange(len(scores))[::-1]
    with canvas(2, width=7.6, height=0.9 + 0.34 * len(scores)) as (figure, both):
        for axes, (name, title) in zip(both, PANELS.items(), strict=True):
            for y, estimates, colour in zip(positions, scores.values(), _cycle(len(scores)), strict=True):
                estimate = estimates[name]
                axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=2.4, alpha=0.7)
                axes.plot([estimate.value], [y], "o", color=colour, markersize=6)
            axes.set(
                title=title,
                yticks=positions,
                yticklabels=list(scores) if name == "mse" else [],
                ylim=(-0.6, len(scores) - 0.4),
            )
            axes.grid(visible=True, axis="x")
    return figure


_SYMBOLS = {"pearson": "r", "spearman": "ρ", "mse": "MSE", "mae": "MAE"}


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _cycle(n: int) -> list[str]:
    colours = [BLUE, ORANGE, GREEN, PURPLE, VERMILLION]
    return [colours[index % len(colours)] for index in range(n)]


def _histogram(axes: Axes, values: Values, *, colour: str) -> None:
    """Draw a histogram that stays readable when all values are equal."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        low, high = low - 0.01, high + 0.01
    axes.hist(values, bins=24, range=(low, high), color=colour, alpha=0.85)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.grid(visible=True, axis="y")
