"""What the official models have in common, and how their weights become a run of epigx.

Each official name belongs to one weight of epigx. The pooled centre and the cell type are not in the file: they are
parameters of the functions that read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from epigx.dataset.inputs import FeatureInput, Inputs, SignalInput
from epigx.dataset.manifest.split import PAPER
from epigx.errors import RunError
from epigx.models import Model
from epigx.objectives import Objective
from epigx.runs.config import DataConfig, RunConfig
from epigx.runs.folder import Run, write_run
from epigx.runs.provenance import Provenance, versions
from epigx.training.config import TrainingConfig
from epigx.training.network import FittedNetwork, Network
from epigx.training.weights import Networks, build_networks

__all__ = ["FEATURES", "SIGNALS", "UNKNOWN", "Imported", "build_imported", "check_inputs", "check_names", "shape_of"]

SIGNALS = (
    SignalInput(name="h3k27ac", transform="none", role="foreground"),
    SignalInput(name="dnase", transform="none", role="background"),
    SignalInput(name="hic", transform="log10p1", role="background"),
)
"""Channels of the official data: raw H3K27ac and DNase, and log10(1 + x) of the Hi-C contact with the TSS."""

FEATURES = (
    "utr5_length_log10zscore",
    "cds_length_log10zscore",
    "intron_length_log10zscore",
    "utr3_length_log10zscore",
    "utr5_gc",
    "cds_gc",
    "utr3_gc",
    "orf_exon_density",
    "promoter_activity",
)
"""The official order; the four lengths come scaled in the official table, all others raw."""

TRAINED_ON = tuple(f"chr{n}" for n in range(1, 23) if n not in (3, 21, 22))
"""The training chromosomes of fold 11, which the official code fixes."""


UNKNOWN = "unknown"
"""The cell type in the configuration of a checkpoint, which does not contain it, unless the user names it."""


class Imported(NamedTuple):
    """An official checkpoint in epigx's terms."""

    source: Path
    config: RunConfig
    inputs: Inputs
    networks: Networks
    """The model and the objective, with the checkpoint's weights."""

    def write(self, out: str | Path, *, force: bool = False) -> Run:
        """Write a run folder, ready to evaluate and to predict with.

        Raises
        ------
        InputError
            ``out`` exists and ``force`` is false, or it cannot be written.
        """
        provenance = Provenance(
            origin=f"imported from {self.source.name}",
            cell_types=tuple(name for name in self.config.data.cell_types if name != UNKNOWN),
            split=PAPER,
            chromosomes_trained=TRAINED_ON,
            n_parameters=self.networks.parameters(),
            versions=versions("torch"),
        )
        return write_run(
            out,
            config=self.config,
            inputs=self.inputs,
            fitted=FittedNetwork(self.networks),
            metrics={},
            provenance=provenance,
            force=force,
        )


def check_names(expected: Iterable[str], official: dict[str, Tensor], what: str, source: str | Path) -> None:
    """Check that a checkpoint has exactly the names of a model."""
    for name in sorted(set(expected) ^ official.keys()):
        which = "has an unexpected" if name in official else "has no"
        raise RunError(f"{source} is not {what}: it {which} {name!r}.")


def shape_of(official: dict[str, Tensor], name: str, source: str | Path) -> tuple[int, int]:
    """Return rows and columns of a matrix."""
    if official[name].dim() != 2:
        raise RunError(f"{source} belongs to another model: {name!r} has the shape {tuple(official[name].shape)}.")
    rows, columns = official[name].shape
    return rows, columns


def check_inputs(n_signals: int, n_features: int, source: str | Path) -> None:
    """Check that a checkpoint reads no other signals and features than the official code."""
    if n_signals > len(SIGNALS) or n_features != len(FEATURES):
        raise RunError(
            f"{source} reads {n_signals} signals and {n_features} features. "
            f"A checkpoint of this code reads up to {len(SIGNALS)} signals, and {len(FEATURES)} features."
        )


def build_imported(
    model: Model,
    objective: Objective,
    official: dict[str, Tensor],
    names: dict[str, str],
    source: str | Path,
    *,
    cell_type: str,
    data: str | Path,
    window: int,
    n_signals: int,
) -> Imported:
    """Build the networks of a run that the official code trained on fold 11, and load the official weights.

    Parameters
    ----------
    names : dict of str to str
        epigx's name for each official one; official names that share a weight have the same.

    Raises
    ------
    RunError
        A weight has another shape, or differs from the one it is shared with.
    """
    config = RunConfig(
        data=DataConfig(path=str(data), cell_types=(cell_type,), window=window, split=PAPER),
        method=Network(model=model, objective=objective, training=TrainingConfig(precision="bf16")),
    )
    features = tuple(FeatureInput(name=name) for name in FEATURES)
    inputs = Inputs(window=window, signals=SIGNALS[:n_signals], features=features)
    with torch.device("meta"):  # shapes only: memory is allocated once the file is known to fit
        shapes = build_networks(model, objective, inputs).weights()
    weights = _translate(official, names, shapes, source)
    networks = build_networks(model, objective, inputs)
    networks.load(weights, source=str(source))
    return Imported(Path(source), config, inputs, networks)


def _translate(
    official: dict[str, Tensor], names: dict[str, str], shapes: dict[str, Tensor], source: str | Path
) -> dict[str, Tensor]:
    """Return the weights by epigx's names; those that both reading directions share are compared and kept once."""
    weights: dict[str, Tensor] = {}
    for name, own in names.items():
        tensor = official[name]
        if own.endswith("conv_weight") and tensor.dim() == 3:
            tensor = tensor.squeeze(1)
        if tensor.shape != shapes[own].shape:
            raise RunError(
                f"{source} belongs to another model: {name!r} has the shape {tuple(official[name].shape)}, "
                f"and {tuple(shapes[own].shape)} was expected."
            )
        if not torch.equal(weights.setdefault(own, tensor), tensor):
            raise RunError(f"{source}: {name!r} differs from the weight that it is shared with.")
    return weights
