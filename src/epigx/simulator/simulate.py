"""Writes a simulated genome: raw files drawn from the paper's structural causal model, and the known truth.

``docs/simulator.md`` describes the model.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from epigx.dataset.manifest.split import PAPER
from epigx.simulator.annotation import annotate, write_gtf
from epigx.simulator.causes import draw_states
from epigx.simulator.contacts import RESOLUTIONS, draw_pixels, write_mcool
from epigx.simulator.sequence import motif_score, plan_sites, write_fasta
from epigx.simulator.settings import Simulation
from epigx.simulator.signals import draw_elements, write_blacklist, write_cage, write_tracks
from epigx.simulator.truth import write_truth
from epigx.system.atomic import atomic_folder

__all__ = ["Simulation", "simulate"]


def simulate(
    settings: Simulation,
    out: str | Path,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a simulated genome; the same settings give the same bytes.

    Parameters
    ----------
    settings : Simulation
        The settings.
    out : str or Path
        Folder to write: ``genome.fa``, ``genes.gtf``, ``blacklist.bed``; for each cell type ``<cell>.h3k27ac.bigWig``,
        ``<cell>.dnase.bigWig``, ``<cell>.dnase.narrowPeak``, ``<cell>.mcool`` and ``<cell>.cage.plus/minus.bigWig``;
        ``manifest.yaml`` for `epigx build`; ``truth.parquet`` and ``truth.json``
        (:func:`epigx.simulator.truth.truth_table`).
    force : bool
        Whether to replace a folder at ``out``, once the new one is complete.
    progress : callable, optional
        Called with (finished steps, all steps) after each step.

    Returns
    -------
    Path
        ``<out>/manifest.yaml``.

    Raises
    ------
    InputError
        ``out`` exists and ``force`` is false, or it cannot be written.
    """
    out = Path(out)
    steps = _Steps(2 + 2 * len(settings.cell_types), progress)
    with atomic_folder(out, replace=force) as folder:
        annotation = annotate(settings)
        sites = plan_sites(settings)
        states = draw_states(settings, annotation, motif_score(sites, settings.genes))
        write_gtf(annotation, folder / "genes.gtf")
        write_fasta(settings, annotation, sites, folder / "genome.fa")
        write_blacklist(settings, annotation, folder / "blacklist.bed")
        steps.done()
        elements = draw_elements(settings, annotation)
        for cell, state in states.items():
            write_tracks(settings, annotation, elements, state, cell, folder / cell)
            steps.done()
            write_cage(annotation, state, folder / cell)
            write_mcool(folder / f"{cell}.mcool", annotation.sizes, draw_pixels(settings, annotation, state, cell))
            steps.done()
        write_truth(settings, annotation, states, folder)
        (folder / "manifest.yaml").write_text(_manifest_text(settings))
        steps.done()
    return out / "manifest.yaml"


class _Steps:
    """Counts the finished steps and reports progress."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self._count, self._total, self._progress = 0, total, progress

    def done(self) -> None:
        self._count += 1
        if self._progress is not None:
            self._progress(self._count, self._total)


def _manifest_text(settings: Simulation) -> str:
    """Return the manifest as a user would write it, with the short forms."""
    values = {
        "assembly": "simulated",
        "genome": "genome.fa",
        "genes": "genes.gtf",
        "split": {"valid": list(PAPER.valid), "test": list(PAPER.test)},
        "signals": {
            "h3k27ac": {"role": "foreground", "transform": "log1p", "unit": "simulated signal"},
            "dnase": {"role": "background", "transform": "log1p", "unit": "simulated signal"},
            "hic": {"role": "background", "transform": "log10p1", "unit": "simulated contacts"},
        },
        "features": {
            "file": "genes.gtf",
            "columns": {
                **dict.fromkeys(("utr5_length", "cds_length", "intron_length", "utr3_length"), "log10zscore"),
                **dict.fromkeys(("utr5_gc", "cds_gc", "utr3_gc", "orf_exon_density"), "zscore"),
            },
            "promoter_activity": {"transform": "log10zscore"},
        },
        "blacklist": "blacklist.bed",
        "elements": {"count": 8, "reach": 10_000, "contact": "hic"},
        "cell_types": {
            cell: {
                "signals": {
                    "h3k27ac": f"{cell}.h3k27ac.bigWig",
                    "dnase": f"{cell}.dnase.bigWig",
                    "hic": {"file": f"{cell}.mcool", "resolution": RESOLUTIONS[0]},
                },
                "expression": {"plus": f"{cell}.cage.plus.bigWig", "minus": f"{cell}.cage.minus.bigWig"},
                "peaks": f"{cell}.dnase.narrowPeak",
            }
            for cell in settings.cell_types
        },
    }
    return "# Simulated by epigx: no measured data.\n" + yaml.safe_dump(values, sort_keys=False)
