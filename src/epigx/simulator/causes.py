"""The structural causal model: foreground F, background C, acetylation K and expression E of every gene.

The graph is the paper's (section 3.2, Figure 2) with its letters spelled out::

    DNA motifs M ──> F ──> K (H3K27ac peak height) ──> E (expression) <── transcript features
                                                       ^
    C ──> DNase, Hi-C contact, H3K27ac baseline        │
    └──────────────────── confounding ─────────────────┘

H ← C → Y is the path from DNase and Hi-C through C to E. DNase and Hi-C have no arrow into E: all that a model gains
from them on the training chromosomes comes from the confounder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from epigx.simulator.annotation import Annotation
from epigx.simulator.settings import Simulation

__all__ = ["ACETYLATION", "EXPRESSION", "GRID", "Background", "CellState", "draw_states", "smooth_noise"]

GRID = 1000  # bp between the points of the background state
SHARED_BACKGROUND = 0.5  # share of C's variance that all cell types share


@dataclass(frozen=True, slots=True)
class _Acetylation:
    """K = ln_height + per_foreground · F, the ln height of a gene's H3K27ac peaks."""

    ln_height: float = 1.8
    per_foreground: float = 0.8


@dataclass(frozen=True, slots=True)
class _Expression:
    """E = softplus(sharpness · η) / sharpness; η = intercept + acetylation · (K - ln_height) + confounding · C + T.

    T is the sum of the transcript terms, each per standard deviation of ln length or of coding exons per kb.
    """

    intercept: float = 1.8
    acetylation: float = 0.75
    utr5_length: float = -0.06
    utr3_length: float = -0.06
    exon_density: float = 0.09
    sharpness: float = 4.0


ACETYLATION: Final = _Acetylation()
EXPRESSION: Final = _Expression()


@dataclass(frozen=True)
class Background:
    """The background state C of one cell type along the genome, in standard deviations over TSSs."""

    points: dict[str, np.ndarray]
    """C at every `GRID` bp, by chromosome."""

    def at(self, chrom: str, positions: np.ndarray) -> np.ndarray:
        """Return C at base positions, interpolated between grid points, float64 of the shape of ``positions``."""
        points = self.points[chrom]
        return np.asarray(np.interp(positions, np.arange(len(points)) * GRID, points))


@dataclass(frozen=True)
class CellState:
    """The causal variables of one cell type; arrays are float64 (gene,).

    Attributes
    ----------
    background : Background
        C along the genome.
    foreground, background_at_tss, acetylation : array
        F, C and K of each gene.
    transcript : array
        Contribution of transcript features to η, in log10 units.
    background_effect : array
        The coefficient of C in η: ``confounding``, with the opposite sign where it is flipped.
    expression_true, expression : array
        E in log10(1 + count), without noise and as measured.
    effect : array
        dE/dη of each gene: converts a coefficient of η into a causal effect on E.
    """

    background: Background
    foreground: np.ndarray
    background_at_tss: np.ndarray
    acetylation: np.ndarray
    transcript: np.ndarray
    background_effect: np.ndarray
    expression_true: np.ndarray
    expression: np.ndarray
    effect: np.ndarray


def draw_states(settings: Simulation, annotation: Annotation, motif_score: np.ndarray) -> dict[str, CellState]:
    """Draw the state of each cell type, from the standardised motif score M of each gene, float64 (gene,)."""
    transcript = _transcript_effect(annotation)
    return {cell: _draw_state(settings, annotation, motif_score, transcript, cell) for cell in settings.cell_types}


def _draw_state(
    settings: Simulation, annotation: Annotation, motif_score: np.ndarray, transcript: np.ndarray, cell: str
) -> CellState:
    own = settings.cell_types[cell]
    n = settings.genes
    foreground = np.sqrt(1 - own) * motif_score + np.sqrt(own) * settings.stream("foreground", cell).normal(size=n)
    acetylation = ACETYLATION.ln_height + ACETYLATION.per_foreground * foreground
    background = _draw_background(settings, annotation, cell)
    at_tss = _at_tss(background, annotation.genes)

    flipped = annotation.genes["chrom"].isin(settings.test_chromosomes).to_numpy() & settings.flip
    background_effect = np.where(flipped, -settings.confounding, settings.confounding)
    eta = (
        EXPRESSION.intercept
        + EXPRESSION.acetylation * (acetylation - ACETYLATION.ln_height)
        + background_effect * at_tss
        + transcript
    )
    true = np.logaddexp(0, EXPRESSION.sharpness * eta) / EXPRESSION.sharpness
    noise = settings.noise * settings.stream("noise", cell).normal(size=n)
    return CellState(
        background=background,
        foreground=foreground,
        background_at_tss=at_tss,
        acetylation=acetylation,
        transcript=transcript,
        background_effect=background_effect,
        expression_true=true,
        expression=np.maximum(true + noise, 0),
        effect=1 / (1 + np.exp(-EXPRESSION.sharpness * eta)),
    )


def _draw_background(settings: Simulation, annotation: Annotation, cell: str) -> Background:
    """Draw C as smoothed white noise, standardised over TSSs so that ``confounding`` always has the same meaning."""
    width = settings.neighbourhood / GRID / 2
    points = {}
    for chrom, size in annotation.sizes.items():
        shared, own = (
            smooth_noise(settings.stream("background", chrom, *source), size // GRID + 1, width)
            for source in ((), (cell,))
        )
        points[chrom] = np.sqrt(SHARED_BACKGROUND) * shared + np.sqrt(1 - SHARED_BACKGROUND) * own
    at_tss = _at_tss(Background(points), annotation.genes)
    return Background({chrom: (values - at_tss.mean()) / at_tss.std() for chrom, values in points.items()})


def smooth_noise(rng: np.random.Generator, n: int, width: float) -> np.ndarray:
    """Return stationary noise of variance 1, correlated over about ``2 · width`` points, float64 (n,)."""
    margin = int(4 * width) + 1
    smooth = gaussian_filter1d(rng.normal(size=n + 2 * margin), width)[margin:-margin]
    kernel = gaussian_filter1d(np.eye(1, 2 * margin + 1, margin)[0], width)
    return np.asarray(smooth / np.sqrt(np.sum(kernel**2)))


def _at_tss(background: Background, genes: pd.DataFrame) -> np.ndarray:
    values = np.empty(len(genes))
    for chrom, rows in genes.groupby("chrom", sort=False).indices.items():
        values[rows] = background.at(str(chrom), genes["tss"].to_numpy()[rows])
    return values


def _transcript_effect(annotation: Annotation) -> np.ndarray:
    transcripts = annotation.transcripts
    terms = (
        (EXPRESSION.utr5_length, np.log([t.utr5 for t in transcripts])),
        (EXPRESSION.utr3_length, np.log([t.utr3 for t in transcripts])),
        (EXPRESSION.exon_density, np.array([t.exon_density for t in transcripts])),
    )
    return np.asarray(sum(weight * (x - x.mean()) / x.std() for weight, x in terms))
