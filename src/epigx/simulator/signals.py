"""Simulated measurements of a cell type: H3K27ac, DNase and CAGE tracks, DNase peaks, and a blacklist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pybigtools

from epigx.simulator.annotation import Annotation
from epigx.simulator.causes import GRID, CellState, smooth_noise
from epigx.simulator.settings import Simulation

__all__ = [
    "DNASE",
    "H3K27AC",
    "draw_elements",
    "write_bigwig",
    "write_blacklist",
    "write_cage",
    "write_peaks",
    "write_tracks",
]

STEP = 50  # bp per value of a track
PEAK_HALF = 150  # bp from a peak's summit to either end in the narrowPeak file


@dataclass(frozen=True, slots=True)
class _Track:
    """How a track depends on the state: its baseline is exp(ln_baseline + background · C(x) + drift · noise(x)).

    Drift varies over about 5 kb and has no cause. Drift and the noise of bins and peaks are standard deviations of the
    natural logarithm.
    """

    ln_baseline: float
    background: float
    drift: float
    bin_noise: float
    peak_noise: float


H3K27AC: Final = _Track(ln_baseline=-0.9, background=0.15, drift=0.3, bin_noise=0.2, peak_noise=0.3)
DNASE: Final = _Track(ln_baseline=-0.4, background=0.6, drift=0.3, bin_noise=0.25, peak_noise=0.4)
DRIFT_WIDTH = 2.5  # grid points, kb
DNASE_LN_HEIGHT = 1.2  # ln height of a DNase peak at C = 0; F has no effect
CALL_HEIGHT = 2.0  # the lowest DNase peak that is called
BLACKLIST_EVERY = 50_000  # bp of the genome per blacklisted region
BLACKLIST_LENGTHS = (300, 1500)  # bp
# Starts are spread over a few bases, well within the 384 bp of the label (REFERENCE 1.3).
SCATTER = {-3: 0.05, -2: 0.1, -1: 0.2, 0: 0.3, 1: 0.2, 2: 0.1, 3: 0.05}


def draw_elements(settings: Simulation, annotation: Annotation) -> pd.DataFrame:
    """Draw the regulatory elements of every gene, the same in all cell types.

    Returns
    -------
    DataFrame
        One row per element: gene (row of the annotation), chrom, center (bp), distal (bool). Each gene has its promoter
        and one or two distal elements 1.5 to 4.5 kb away.
    """
    rng = settings.stream("elements")
    genes = annotation.genes
    n_distal = rng.integers(1, 3, len(genes))
    owner = np.repeat(np.arange(len(genes)), n_distal)
    away = rng.integers(1500, 4500, len(owner)) * rng.choice([-1, 1], len(owner))
    owner = np.concatenate([np.arange(len(genes)), owner])
    away = np.concatenate([np.zeros(len(genes), dtype=np.int64), away])
    elements = pd.DataFrame({"gene": owner, "chrom": genes["chrom"].to_numpy()[owner]})
    return elements.assign(center=genes["tss"].to_numpy()[owner] + away, distal=away != 0)


def write_tracks(
    settings: Simulation, annotation: Annotation, elements: pd.DataFrame, state: CellState, cell: str, stem: Path
) -> None:
    """Write ``<stem>.h3k27ac.bigWig``, ``<stem>.dnase.bigWig`` and ``<stem>.dnase.narrowPeak`` of one cell type."""
    acetylation = _acetylation_bumps(settings, annotation, elements, state, cell)
    accessibility = _accessibility_bumps(settings, elements, state, cell)
    for name, track, bumps in (("h3k27ac", H3K27AC, acetylation), ("dnase", DNASE, accessibility)):
        values = {
            chrom: _measure(track, settings.stream(name, chrom, cell), state, chrom, size, bumps)
            for chrom, size in annotation.sizes.items()
        }
        write_bigwig(Path(f"{stem}.{name}.bigWig"), annotation.sizes, _intervals(values, annotation.sizes))
    write_peaks(Path(f"{stem}.dnase.narrowPeak"), accessibility)


def write_bigwig(path: Path, sizes: dict[str, int], intervals: Iterator[tuple[str, int, int, float]]) -> None:
    """Write ``(chrom, start, end, value)`` as bigWig, sorted by chromosome name, as the format requires."""
    pybigtools.open(str(path), "w").write(dict(sorted(sizes.items())), intervals)


def write_peaks(path: Path, bumps: pd.DataFrame) -> None:
    """Write bumps that are high enough as narrowPeak, without p and q values (-1)."""
    called = bumps[bumps["height"] >= CALL_HEIGHT].sort_values(["chrom", "center"], kind="stable")
    with path.open("w", newline="\n") as file:
        for number, (chrom, center, height) in enumerate(
            zip(called["chrom"], called["center"], called["height"], strict=True)
        ):
            score = min(1000, round(50 * height))
            file.write(
                f"{chrom}\t{center - PEAK_HALF}\t{center + PEAK_HALF}\tsimulated_peak_{number + 1}\t{score}\t."
                f"\t{height:.4f}\t-1\t-1\t{PEAK_HALF}\n"
            )


def write_blacklist(settings: Simulation, annotation: Annotation, path: Path) -> None:
    """Write random regions as BED; the signals there are no worse than elsewhere."""
    with path.open("w", newline="\n") as file:
        for chrom, size in annotation.sizes.items():
            rng = settings.stream("blacklist", chrom)
            starts = np.sort(rng.integers(0, size, 1 + size // BLACKLIST_EVERY))
            ends = np.minimum(starts + rng.integers(*BLACKLIST_LENGTHS, len(starts)), size)
            file.writelines(f"{chrom}\t{start}\t{end}\tsimulated\n" for start, end in zip(starts, ends, strict=True))


def write_cage(annotation: Annotation, state: CellState, stem: Path) -> None:
    """Write ``<stem>.cage.plus.bigWig`` and ``<stem>.cage.minus.bigWig``.

    A gene's counts on its own strand add up to 10^E - 1, so log10(1 + sum) is E.
    """
    for name, strand in (("plus", "+"), ("minus", "-")):
        starts = _cage_starts(annotation, np.power(10.0, state.expression) - 1, strand)
        write_bigwig(Path(f"{stem}.cage.{name}.bigWig"), annotation.sizes, starts)


def _acetylation_bumps(
    settings: Simulation, annotation: Annotation, elements: pd.DataFrame, state: CellState, cell: str
) -> pd.DataFrame:
    """Return H3K27ac bumps: one on each side of the TSS, the higher one downstream, and one at each distal element."""
    promoters = elements[~elements["distal"]]
    distal = elements[elements["distal"]]
    sign = np.where(annotation.genes["strand"].to_numpy()[promoters["gene"]] == "+", 1, -1)
    bumps = pd.concat(
        [
            promoters.assign(center=promoters["center"] + 250 * sign, width=180.0, ln_weight=0.0),
            promoters.assign(center=promoters["center"] - 300 * sign, width=150.0, ln_weight=-0.5),
            distal.assign(width=250.0, ln_weight=-0.7),
        ],
        ignore_index=True,
    )
    noise = H3K27AC.peak_noise * settings.stream("h3k27ac peaks", cell).normal(size=len(bumps))
    return bumps.assign(height=np.exp(state.acetylation[bumps["gene"]] + bumps["ln_weight"] + noise))


def _accessibility_bumps(settings: Simulation, elements: pd.DataFrame, state: CellState, cell: str) -> pd.DataFrame:
    """Return DNase bumps, one per element; C raises them like the baseline."""
    noise = DNASE.peak_noise * settings.stream("dnase peaks", cell).normal(size=len(elements))
    background = DNASE.background * state.background_at_tss[elements["gene"]]
    return elements.assign(width=120.0, height=np.exp(DNASE_LN_HEIGHT + background + noise))


def _measure(
    track: _Track, rng: np.random.Generator, state: CellState, chrom: str, size: int, bumps: pd.DataFrame
) -> np.ndarray:
    """Return the track along one chromosome, float64 (ceil(size / STEP),), rounded like measured tracks."""
    middle = np.arange(0, size, STEP) + STEP / 2
    drift = np.interp(middle, np.arange(size // GRID + 1) * GRID, smooth_noise(rng, size // GRID + 1, DRIFT_WIDTH))
    background = state.background.at(chrom, middle)
    values = np.exp(track.ln_baseline + track.background * background + track.drift * drift)
    here = bumps[bumps["chrom"] == chrom]
    for center, width, height in zip(here["center"], here["width"], here["height"], strict=True):
        low, high = np.searchsorted(middle, [center - 4 * width, center + 4 * width])
        values[low:high] += height * np.exp(-0.5 * ((middle[low:high] - center) / width) ** 2)
    return np.asarray(np.round(values * np.exp(track.bin_noise * rng.normal(size=len(values))), 2))


def _intervals(values: dict[str, np.ndarray], sizes: dict[str, int]) -> Iterator[tuple[str, int, int, float]]:
    for chrom in sorted(values):
        for i, value in enumerate(values[chrom].tolist()):
            yield chrom, i * STEP, min((i + 1) * STEP, sizes[chrom]), value


def _cage_starts(annotation: Annotation, counts: np.ndarray, strand: str) -> Iterator[tuple[str, int, int, float]]:
    genes = annotation.genes.assign(count=counts)
    genes = genes[genes["strand"] == strand].sort_values(["chrom", "tss"])
    for chrom, tss, count in zip(genes["chrom"], genes["tss"], genes["count"], strict=True):
        for offset, share in SCATTER.items():
            yield chrom, tss + offset, tss + offset + 1, share * count
