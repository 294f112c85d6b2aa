"""Official weights of Prism, the later form of InFER, as a run of epigx.

A Prism model is a :class:`~epigx.models.Predictor`, and a Prism checkpoint also holds the confounder encoder, which
here belongs to the objective. The names map one to one; what the file cannot tell (the pooled centre, the activation
of the patterns, the cell type) is a parameter.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from epigx.backbones import Caduceus
from epigx.dataset.inputs import FeatureInput, Inputs, SignalInput
from epigx.dataset.split import PAPER
from epigx.errors import RunError
from epigx.models import PredictorModel
from epigx.models.encoders import Activation
from epigx.objectives import Backdoor, Objective, Regression
from epigx.training.config import DataConfig, RunConfig, TrainingConfig
from epigx.training.folder import Run, write_run
from epigx.training.foreign import read_tensors
from epigx.training.networks import Networks, build_networks
from epigx.training.prism_names import prism_names
from epigx.training.provenance import Provenance, versions

__all__ = ["Prism", "import_prism", "read_prism"]

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


class Prism(NamedTuple):
    """A Prism checkpoint in epigx's terms."""

    config: RunConfig
    inputs: Inputs
    networks: Networks
    """The model, and the objective with the confounder encoder, with the checkpoint's weights."""


def import_prism(
    source: str | Path,
    out: str | Path,
    *,
    cell_type: str | None = None,
    data: str | Path = "",
    pool: int = 2_000,
    activation: Activation = "sigmoid",
    force: bool = False,
) -> Run:
    """Write a run folder from an official checkpoint (see :func:`read_prism`), ready to evaluate and to predict with.

    Parameters
    ----------
    out : str or Path
        Run folder to make.
    force : bool
        Whether a folder that stands there is replaced.

    Raises
    ------
    RunError
        The file is damaged, or belongs to another model.
    InputError
        ``out`` exists and ``force`` is false, or it cannot be written.
    """
    prism = read_prism(source, cell_type=cell_type, data=data, pool=pool, activation=activation)
    provenance = Provenance(
        origin=f"imported from {Path(source).name}",
        cell_types=(cell_type,) if cell_type else (),
        split=PAPER,
        chromosomes_trained=TRAINED_ON,
        n_parameters=prism.networks.parameters(),
        versions=versions(),
    )
    return write_run(
        out,
        config=prism.config,
        inputs=prism.inputs,
        model=prism.networks.model,
        objective=prism.networks.objective,
        metrics={},
        provenance=provenance,
        force=force,
    )


def read_prism(
    source: str | Path,
    *,
    cell_type: str | None = None,
    data: str | Path = "",
    pool: int = 2_000,
    activation: Activation = "sigmoid",
) -> Prism:
    """Read an official checkpoint: a Lightning ``.ckpt``, or a plain dictionary of weights.

    The numbers of layers, patterns, signals and features are inferred from the shapes. Nothing in the file is
    executed or evaluated (:mod:`epigx.training.foreign`).

    Parameters
    ----------
    source : str or Path
        The checkpoint.
    cell_type : str, optional
        Cell type that it was trained on, which the weights do not tell; the configuration says ``unknown`` without.
    data : str or Path
        Dataset folder to name in the configuration.
    pool : int, bp
        ``center_len`` of the official configuration.
    activation : {"sigmoid", "softmax"}
        ``weight_act`` of the official configuration.

    Raises
    ------
    RunError
        The file is damaged, or belongs to another model: the message names the first weight that is missing, left
        over or of another shape.
    """
    official = {name.removeprefix("model."): tensor for name, tensor in read_tensors(source).items()}
    n_layers = max(1, sum(name.endswith("mamba_fwd.D") for name in official))
    names = dict(prism_names(n_layers, intervention="weight_generator.weight_projector.0.weight" in official))
    for name in sorted(names.keys() ^ official.keys()):
        which = "has no" if name in names else "has an unexpected"
        raise RunError(f"{source} is not a Prism checkpoint: it {which} {name!r}.")
    d_model, n_signals = _shape(official, "signal_input_layer.weight", source)
    _, width = _shape(official, "pToExpr.0.weight", source)
    if n_signals > len(SIGNALS) or width - d_model != len(FEATURES):
        raise RunError(
            f"{source} reads {n_signals} signals and {width - d_model} features. "
            f"A Prism checkpoint reads up to {len(SIGNALS)} signals, and {len(FEATURES)} features."
        )
    config = RunConfig(
        data=DataConfig(path=str(data), cell_types=(cell_type or UNKNOWN,), window=2_000, split=PAPER),
        model=PredictorModel(backbone=Caduceus(d_model=d_model, n_layers=n_layers), pool=pool),
        objective=_objective(official, d_model, activation),
        training=TrainingConfig(precision="bf16"),
    )
    features = tuple(FeatureInput(name=name) for name in FEATURES)
    inputs = Inputs(window=2_000, signals=SIGNALS[:n_signals], features=features)
    with torch.device("meta"):  # shapes alone: memory is taken once the file is known to fill it
        places = build_networks(config, inputs).weights()
    weights = _translate(official, names, places, source)
    networks = build_networks(config, inputs)
    networks.load(weights, source=str(source))
    return Prism(config, inputs, networks)


def _objective(official: dict[str, Tensor], d_model: int, activation: Activation) -> Objective:
    """Return the official objective; a checkpoint without confounder encoder was trained by plain regression."""
    projection = official.get("weight_generator.weight_projector.0.weight")
    if projection is None:
        return Regression(distance="smooth_l1")
    return Backdoor(
        n_patterns=max(1, projection.shape[0] // d_model),
        distance="smooth_l1",
        average="hidden",
        diagonal=True,
        activation=activation,
    )


def _translate(
    official: dict[str, Tensor], names: dict[str, str], places: dict[str, Tensor], source: str | Path
) -> dict[str, Tensor]:
    """Return the weights by epigx's names; those that both reading directions share are compared and kept once."""
    weights: dict[str, Tensor] = {}
    for name, own in names.items():
        tensor = official[name]
        if own.endswith("conv_weight") and tensor.dim() == 3:
            tensor = tensor.squeeze(1)
        if tensor.shape != places[own].shape:
            raise RunError(
                f"{source} is of another model: {name!r} has the shape {tuple(official[name].shape)}, "
                f"and {tuple(places[own].shape)} was expected."
            )
        if not torch.equal(weights.setdefault(own, tensor), tensor):
            raise RunError(f"{source}: {name!r} differs from its twin of the other direction, with which it is shared.")
    return weights


def _shape(official: dict[str, Tensor], name: str, source: str | Path) -> tuple[int, int]:
    if official[name].dim() != 2:
        raise RunError(f"{source} is of another model: {name!r} has the shape {tuple(official[name].shape)}.")
    rows, columns = official[name].shape
    return rows, columns
