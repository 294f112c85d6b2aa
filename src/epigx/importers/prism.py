"""Official weights of Prism, the later form of InFER, as a run of epigx.

A Prism model is a :class:`~epigx.models.Predictor`. A Prism checkpoint also contains the confounder encoder, which
belongs to the objective here. The pooled centre, the activation of the patterns and the cell type are not in the file
and are parameters here.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from epigx.backbones import Caduceus
from epigx.importers.common import UNKNOWN, Imported, build_imported, check_inputs, check_names, shape_of
from epigx.importers.keys import prism_names
from epigx.importers.safe_checkpoint import read_tensors
from epigx.models import PredictorModel
from epigx.models.encoders import Activation
from epigx.objectives import Backdoor, Objective, Regression

__all__ = ["read_prism"]


def read_prism(
    source: str | Path,
    *,
    cell_type: str = UNKNOWN,
    data: str | Path = "",
    pool: int = 2_000,
    activation: Activation = "sigmoid",
) -> Imported:
    """Read an official checkpoint: a Lightning ``.ckpt``, or a plain dictionary of weights.

    The numbers of layers, patterns, signals and features are inferred from the shapes. Nothing in the file is
    executed or evaluated (:mod:`epigx.importers.safe_checkpoint`).

    Parameters
    ----------
    cell_type : str
        Cell type that it was trained on, which is not in the file.
    data : str or Path
        Dataset folder to name in the configuration.
    pool : int, bp
        ``center_len`` of the official configuration.
    activation : {"sigmoid", "softmax"}
        ``weight_act`` of the official configuration.

    Raises
    ------
    RunError
        The file is damaged, or belongs to another model: the message names the first weight that is missing, unexpected
        or of another shape.
    """
    official = {name.removeprefix("model."): tensor for name, tensor in read_tensors(source).items()}
    n_layers = max(1, sum(name.endswith("mamba_fwd.D") for name in official))
    names = dict(prism_names(n_layers, intervention="weight_generator.weight_projector.0.weight" in official))
    check_names(names, official, "a Prism checkpoint", source)
    d_model, n_signals = shape_of(official, "signal_input_layer.weight", source)
    check_inputs(n_signals, shape_of(official, "pToExpr.0.weight", source)[1] - d_model, source)
    return build_imported(
        PredictorModel(backbone=Caduceus(d_model=d_model, n_layers=n_layers), pool=pool),
        _objective(official, d_model, activation),
        official,
        names,
        source,
        cell_type=cell_type,
        data=data,
        window=2_000,
        n_signals=n_signals,
    )


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
