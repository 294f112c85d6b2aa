"""What is compared: one small network, trained in different ways on the same genes from the same seed."""

from __future__ import annotations

from pathlib import Path

import epigx as gx
from epigx.recipes.models import caduceus_signals
from epigx.runs.config import RunConfig

SYSTEMS: dict[str, tuple[str, ...]] = {
    "plain": ("objective.kind=regression",),
    "foreground alone": ("objective.kind=regression",),  # and no background signals, see `configure`
    "InFER": ("objective.kind=backdoor",),
    "gene patterns": ("objective.kind=gene_specific_backdoor",),
    "dropout": ("objective.kind=signal_dropout",),
    "rare dropout": ("objective.kind=signal_dropout", "objective.rate=0.1"),
    "dropout beside intact": ("objective.kind=signal_dropout", "objective.intact=1"),
    "exchange": ("objective.kind=signal_dropout", "objective.replacement=exchanged"),
    "adjustment": ("objective.kind=input_backdoor",),
    "risk extrapolation": ("objective.kind=risk_extrapolation",),
    "regressed out": ("objective.kind=residualize",),
}
"""Each system's settings; what an objective does not set here stands at its default, chosen before any test gene."""

WINDOW = 500
"""bp; with positions of 25 bp and 32 channels a step costs some 0.02 s of CPU: small nets, and many of them."""

NETWORK = (
    "model.resolution=25",
    "model.backbone.d_model=32",
    "model.backbone.n_layers=2",
    "training.batch_size=16",
    "training.lr=2e-3",
    "training.lr_min=2e-4",
    "training.threads=1",
)


def configure(
    system: str, data: Path, cell_type: str, seed: int, *, steps: int, min_dna_coverage: float = 0.0
) -> RunConfig:
    """Return a run of a system.

    Features that were computed from signals (promoter activity) are left out: they would carry a dropped signal.
    """
    dataset = gx.open_dataset(data)
    read = [s.name for s in dataset.signals if s.role == "foreground" or system != "foreground alone"]
    features = [f.name for f in dataset.features if not f.per_cell_type]
    return caduceus_signals(data=data, cell_type=cell_type, seed=seed, window=WINDOW).override(
        *SYSTEMS[system],
        *NETWORK,
        f"data.signals=[{', '.join(read)}]",
        f"data.features=[{', '.join(features)}]",
        f"data.min_dna_coverage={min_dna_coverage}",
        f"training.warmup_steps={steps // 10}",
        f"training.steps={steps}",
        "training.validate_every=0.5",
    )
