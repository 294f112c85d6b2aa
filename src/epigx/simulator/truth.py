"""The known truth of a simulated genome: states, expression without noise, causal effects."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from epigx.dataset.manifest.split import PAPER
from epigx.simulator.annotation import Annotation
from epigx.simulator.causes import ACETYLATION, EXPRESSION, CellState
from epigx.simulator.contacts import CONTACT_BACKGROUND
from epigx.simulator.settings import Simulation
from epigx.simulator.signals import DNASE, H3K27AC
from epigx.version import __version__

__all__ = ["truth_summary", "truth_table", "write_truth"]


def truth_table(annotation: Annotation, states: dict[str, CellState]) -> pd.DataFrame:
    """Return the truth of every gene in every cell type.

    Returns
    -------
    DataFrame
        One row per cell type and gene:

        cell_type, gene_id, chrom, tss, strand, split
            The gene and its split in the paper.
        foreground, background
            F and C (at the TSS), in standard deviations.
        acetylation
            K, the ln height of the gene's H3K27ac peaks before measurement noise.
        transcript
            Contribution of transcript features, in log10 units.
        expression_true, expression
            log10(1 + count) without noise, and as in the CAGE files.
        effect_h3k27ac, effect_dnase, effect_hic
            dE / d ln signal under an intervention on only that signal.
        effect_background
            dE / dC under an intervention on C with fixed H3K27ac peaks: the confounder's own arrow.
    """
    return pd.concat([_cell_table(annotation, cell, state) for cell, state in states.items()], ignore_index=True)


def truth_summary(settings: Simulation) -> dict[str, Any]:
    """Return the coefficients of the structural equations and the true and the confounded effects."""
    strength = settings.confounding
    return {
        "simulated": True,
        "epigx_version": __version__,
        "settings": settings.model_dump(mode="json"),
        "effects_per_ln_signal": {"h3k27ac": EXPRESSION.acetylation, "dnase": 0.0, "hic": 0.0},
        # The slope of a regression on only one background signal, which measures C; measurement noise lowers it.
        "confounded_slopes_per_ln_signal": {
            "dnase": strength / DNASE.background,
            "hic": strength / CONTACT_BACKGROUND,
        },
        "background_effect": {
            split: -strength if settings.flip and split == "test" else strength for split in ("train", "valid", "test")
        },
        "equations": {
            "acetylation": asdict(ACETYLATION),
            "expression": asdict(EXPRESSION),
            "h3k27ac": asdict(H3K27AC),
            "dnase": asdict(DNASE),
            "hic": {"background": CONTACT_BACKGROUND},
        },
    }


def write_truth(settings: Simulation, annotation: Annotation, states: dict[str, CellState], folder: Path) -> None:
    """Write ``truth.parquet`` and ``truth.json``."""
    truth_table(annotation, states).to_parquet(folder / "truth.parquet", index=False)
    (folder / "truth.json").write_text(json.dumps(truth_summary(settings), indent=2) + "\n")


def _cell_table(annotation: Annotation, cell: str, state: CellState) -> pd.DataFrame:
    genes = annotation.genes[["gene_id", "chrom", "tss", "strand"]]
    table = genes.assign(
        split=PAPER.of(genes["chrom"].to_numpy()),
        foreground=state.foreground,
        background=state.background_at_tss,
        acetylation=state.acetylation,
        transcript=state.transcript,
        expression_true=state.expression_true,
        expression=state.expression,
        effect_h3k27ac=EXPRESSION.acetylation * state.effect,
        effect_dnase=0.0,
        effect_hic=0.0,
        effect_background=state.background_effect * state.effect,
    )
    table.insert(0, "cell_type", cell)
    return table
