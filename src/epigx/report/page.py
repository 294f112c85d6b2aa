"""One HTML file that needs nothing else: text, tables, figures as SVG, and its own style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from epigx.metrics import METRICS
from epigx.report import figures, tables
from epigx.report.data import DatasetContents, RunContents
from epigx.report.drawing import GREY, INK, signal_colours, svg
from epigx.report.templates import template
from epigx.version import __version__

__all__ = ["page", "pattern_cosine"]


@dataclass(frozen=True)
class _Picture:
    element: str
    caption: str


def page(runs: Sequence[RunContents], data: DatasetContents, *, split: str, resamples: int) -> str:
    """Return the page.

    Parameters
    ----------
    runs : sequence of RunContents
        At least one; the others are compared with the first.
    data : DatasetContents
        What they are scored on.
    split : str
        Name of the scored part of the split.
    resamples : int
        Bootstrap resamples behind the intervals.
    """
    return template("report.html").render(
        version=__version__,
        runs=runs,
        data=data,
        split=split,
        resamples=resamples,
        metrics={name: metric.label for name, metric in METRICS.items()},
        interval=tables.interval,
        comparison=tables.comparison_table(runs, resamples),
        comparison_figure=_picture(figures.comparison({run.name: run.scores for run in runs}), "comparison", ""),
        verdict=tables.verdict(runs, resamples),
        sections=[_run_section(run, place) for place, run in enumerate(runs)],
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
    patterns: _Picture | None


def _run_section(run: RunContents, place: int) -> _Section:
    curves = drops = patterns = None
    if len(run.validation):
        curves = _picture(figures.learning_curves(run.losses, run.validation, run.chosen), f"curves{place}", _CURVES)
    if len(run.drops) > 1:
        arms = {run.label(dropped): scores for dropped, scores in run.drops.items()}
        drops = _picture(figures.signal_drop(arms, _arm_colours(run)), f"drops{place}", _DROPS)
    if run.patterns is not None:
        cosine = pattern_cosine(run.patterns)
        about = _about_patterns(run, run.patterns, cosine)
        patterns = _picture(figures.patterns(run.patterns, cosine), f"patterns{place}", about)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in run.left_out.items())
    left_out = f" (left out: {reasons})" if reasons else ""
    scatter = _picture(
        figures.predicted_observed(run.observed, run.predicted, run.scores),
        f"scatter{place}",
        f"{run.n_genes:,} genes{left_out}; dashed: predicted = observed. Brackets: 95 % bootstrap intervals.",
    )
    return _Section(curves, scatter, drops, tables.drop_table(run) if drops else None, patterns)


def _arm_colours(run: RunContents) -> list[str]:
    """Give the arm without a signal the signal's colour, and the others, with all or none, neutral ones."""
    colours = signal_colours(run.signals)
    return [colours[dropped[0]] if len(dropped) == 1 else GREY if dropped else INK for dropped in run.drops]


def _data_figures(data: DatasetContents) -> list[_Picture]:
    unknown, empty = int(np.sum(data.dna_coverage < 1)), int(np.sum(data.dna_coverage == 0))
    about = (
        f"Whole chromosomes are held out. Of {len(data.dna_coverage):,} windows, {unknown:,} hold unknown bases (N), "
        f"{empty:,} of them nothing else."
    )
    return [
        _picture(figures.coverage(data.coverage), "coverage", "Where a track has no value it counts as zero."),
        _picture(figures.expression_histogram(data.expression), "expression", "Genes without a label are left out."),
        _picture(figures.split_bars(data.genes, data.unlabelled), "split", about),
    ]


def pattern_cosine(patterns: figures.Values) -> figures.Values:
    """Return the mean cosine between the patterns of each gene, (gene,); 1 where there is one pattern alone.

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
    "Left: each term of the loss, averaged over the steps between two validations. Right: the error on the validation "
    "genes; the weights of the circled step were kept."
)
_DROPS = (
    "One signal at a time, and then all of them, are set to zero when the trained model predicts. Whiskers: 95 % "
    "bootstrap intervals over genes; dashed: all signals."
)


def _about_patterns(run: RunContents, patterns: figures.Values, cosine: figures.Values) -> str:
    """Say what the patterns look like, and whether they say anything."""
    spread = float(patterns.std(axis=0).mean())
    text = (
        "The weights that each background pattern gives to the encoded-signal channels. Mean cosine between the "
        f"patterns of a gene: {cosine.mean():.3f} (0: nothing in common, 1: the same direction). "
        f"Standard deviation of a weight over genes: {spread:.4f}."
    )
    if run.floor is not None and "diversity" in run.losses:
        text += f" L₃ ended at {run.losses['diversity'].iloc[-1]:.3f}; the lowest that it can be is {run.floor:.3f}."
    if spread < 0.01:
        text += " The patterns hardly differ between genes: the encoder gives all of them the same background states."
    if patterns.shape[1] > 1 and cosine.mean() > 0.99:
        text += " The patterns of a gene are nearly alike: together they stand for one background state."
    return text


def _picture(figure: Figure, name: str, caption: str) -> _Picture:
    return _Picture(svg(figure, name), caption)
