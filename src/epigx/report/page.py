"""The report as one self-contained HTML file: text, tables, figures as SVG, and its style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from epigx.metrics import all_metrics
from epigx.report import figures, tables
from epigx.report.collect import DatasetContents, RunContents
from epigx.report.drawing import GREY, INK, signal_colours, svg
from epigx.report.templates import template
from epigx.version import __version__

__all__ = ["page", "pattern_cosine"]


@dataclass(frozen=True)
class _Picture:
    element: str
    caption: str


def page(runs: Sequence[RunContents], data: DatasetContents, *, split: str, resamples: int) -> str:
    """Return the page."""
    return template("report.html").render(
        version=__version__,
        runs=runs,
        data=data,
        split=split,
        resamples=resamples,
        metrics={name: metric.label for name, metric in all_metrics().items()},
        interval=tables.interval,
        comparison=tables.comparison_table(runs, resamples),
        comparison_figure=_picture(figures.comparison({run.name: run.scores for run in runs}), "comparison", ""),
        verdict=tables.verdict(runs, resamples),
        scored_on=tables.scored_on(runs),
        sections=[_run_section(run, index) for index, run in enumerate(runs)],
        settings=tables.facts_table("Setting", {run.name: run.settings for run in runs}),
        provenance=tables.facts_table("Provenance", {run.name: run.provenance for run in runs}),
        data_table=tables.data_table(data),
        data_figures=_data_figures(data),
    )


@dataclass(frozen=True)
class _Section:
    curves: _Picture | None
    scatter: _Picture
    drops: _Picture | None
    drop_table: tables.Table | None
    fitted: tables.Table | None
    patterns: _Picture | None


def _run_section(run: RunContents, index: int) -> _Section:
    curves = drops = patterns = None
    if len(run.validation):
        curves = _picture(figures.learning_curves(run.losses, run.validation, run.chosen), f"curves{index}", _CURVES)
    if len(run.drops) > 1:
        arms = {run.label(dropped): scores for dropped, scores in run.drops.items()}
        drops = _picture(figures.signal_drop(arms, _arm_colours(run)), f"drops{index}", _DROPS)
    if run.patterns is not None:
        cosine = pattern_cosine(run.patterns)
        about = _about_patterns(run, run.patterns, cosine)
        patterns = _picture(figures.patterns(run.patterns, cosine), f"patterns{index}", about)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in run.left_out.items())
    left_out = f" (left out: {reasons})" if reasons else ""
    scatter = _picture(
        figures.predicted_observed(run.observed, run.predicted, run.scores),
        f"scatter{index}",
        f"{run.n_genes:,} genes{left_out}; dashed line: predicted = observed. Brackets: 95 % bootstrap intervals.",
    )
    fitted = tables.facts_table("Fitted model", {run.name: run.fitted}) if run.fitted else None
    return _Section(curves, scatter, drops, tables.drop_table(run) if drops else None, fitted, patterns)


def _arm_colours(run: RunContents) -> list[str]:
    """Return the colour of each arm: of the dropped signal; neutral if all or no signals are dropped."""
    colours = signal_colours(run.signals)
    return [colours[dropped[0]] if len(dropped) == 1 else GREY if dropped else INK for dropped in run.drops]


def _data_figures(data: DatasetContents) -> list[_Picture]:
    unknown, empty = int(np.sum(data.dna_coverage < 1)), int(np.sum(data.dna_coverage == 0))
    about = (
        f"Whole chromosomes are held out. Of {len(data.dna_coverage):,} windows, {unknown:,} contain N bases, and "
        f"{empty:,} contain nothing else."
    )
    return [
        _picture(figures.coverage(data.coverage), "coverage", "Positions without a value count as zero."),
        _picture(figures.expression_histogram(data.expression), "expression", "Genes without a label are left out."),
        _picture(figures.split_bars(data.genes, data.unlabelled), "split", about),
    ]


def pattern_cosine(patterns: figures.Values) -> figures.Values:
    """Return the mean cosine between the patterns of each gene, (gene,); 1 if there is only one pattern.

    Examples
    --------
    >>> pattern_cosine(np.eye(2)[None]).tolist(), pattern_cosine(np.ones((1, 3, 5))).round(6).tolist()
    ([0.0], [1.0])
    """
    n = patterns.shape[1]
    if n == 1:
        return np.ones(len(patterns))
    unit = patterns / np.maximum(np.linalg.norm(patterns, axis=-1, keepdims=True), 1e-12)
    products = np.einsum("gid,gjd->gij", unit, unit)
    off = products.sum(axis=(1, 2)) - np.trace(products, axis1=1, axis2=2)
    mean: figures.Values = off / (n * (n - 1))
    return mean


_CURVES = (
    "Left: the terms of the loss, averaged over the steps between validations. Right: MSE of the validation genes; the "
    "weights of the circled step were kept."
)
_DROPS = (
    "Each signal, and then all signals, are set to zero at test time; features that were computed from them stay. "
    "Whiskers: 95 % bootstrap intervals over genes; dashed line: all signals."
)


def _about_patterns(run: RunContents, patterns: figures.Values, cosine: figures.Values) -> str:
    """Describe the patterns, and warn if they do not differ between genes or from each other."""
    spread = float(patterns.std(axis=0).mean())
    text = (
        "Weights of the encoded-signal channels in each background pattern. Mean cosine between the patterns of a "
        f"gene: {cosine.mean():.3f} (0: unrelated, 1: same direction). "
        f"Standard deviation of a weight over genes: {spread:.4f}."
    )
    if run.floor is not None and "diversity" in run.losses:
        text += f" Final L₃: {run.losses['diversity'].iloc[-1]:.3f}; lowest possible value: {run.floor:.3f}."
    if spread < 0.01:
        text += " The patterns hardly differ between genes: all genes get the same background states."
    if patterns.shape[1] > 1 and cosine.mean() > 0.99:
        text += " The patterns of a gene are nearly equal: together they describe one background state."
    return text


def _picture(figure: Figure, name: str, caption: str) -> _Picture:
    return _Picture(svg(figure, name), caption)
