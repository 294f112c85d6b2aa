"""Official weights of the Seq2Exp code as a run of epigx: Seq2Exp itself, and the systems it was compared with.

Seq2Exp-soft, Seq2Exp-hard, the mask of peaks (MACS3), Caduceus with and without signals, and Mamba are recognised by
the names of their weights. The pooled centre and the cell type are not in the file and are parameters here. The
settings of the mask that are not weights are those of the official scripts.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from epigx.backbones import Caduceus, Mamba
from epigx.errors import ConfigError
from epigx.importers.common import UNKNOWN, Imported, build_imported, check_inputs, check_names, shape_of
from epigx.importers.keys import caduceus_system, mamba_system, peak_mask_system, seq2exp_system
from epigx.importers.safe_checkpoint import read_tensors
from epigx.models import Model, PredictorModel, Seq2ExpHard, Seq2ExpSoft
from epigx.models.mask_posterior import MaskEvidence
from epigx.objectives import Bottleneck, Objective, Regression

__all__ = ["read_seq2exp"]

WINDOW = 200_000
"""Window length of the official code, in bp."""


class _System(NamedTuple):
    """The model that a checkpoint belongs to."""

    names: dict[str, str]
    model: Model
    n_signals: int = 0
    objective: Objective = Regression(distance="smooth_l1")
    window: int = WINDOW


def read_seq2exp(source: str | Path, *, cell_type: str = UNKNOWN, data: str | Path = "", pool: int = 2_000) -> Imported:
    """Read an official checkpoint: a Lightning ``.ckpt``, or a plain dictionary of weights.

    Nothing in the file is executed (:mod:`epigx.importers.safe_checkpoint`). The hard variant packs a batch as the
    official code does (docs/decisions/0014).

    Parameters
    ----------
    cell_type : str
        Cell type that it was trained on, which is not in the file.
    data : str or Path
        Dataset folder to name in the configuration.
    pool : int, bp
        ``center_len`` of the official configuration.

    Raises
    ------
    RunError
        The file is damaged, or belongs to another model: the message names the first weight that is missing, unexpected
        or of another shape.
    ConfigError
        The pooled centre is as long as the windows that the model reads.
    """
    official = _divided(_without_prefix(read_tensors(source)))
    system = _recognise(official, source, pool)
    return build_imported(
        system.model,
        system.objective,
        official,
        system.names,
        source,
        cell_type=cell_type,
        data=data,
        window=system.window,
        n_signals=system.n_signals,
    )


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    # Some names of Mamba start like Lightning's prefix, but Lightning puts its prefix before all names.
    if not all(name.startswith("model.") for name in tensors):
        return tensors
    return {name.removeprefix("model."): tensor for name, tensor in tensors.items()}


def _divided(official: dict[str, Tensor]) -> dict[str, Tensor]:
    """Split Caduceus' input layer into one for bases, which keeps the bias, and one for signals."""
    weight = official.get("input_layer.weight")
    if weight is None or weight.dim() != 2:
        return official
    rest = {name: tensor for name, tensor in official.items() if name != "input_layer.weight"}
    rest["seq_input_layer.weight"] = weight[:, :4]
    if "input_layer.bias" in rest:
        rest["seq_input_layer.bias"] = rest.pop("input_layer.bias")
    if weight.shape[1] > 4:
        rest["signal_input_layer.weight"] = weight[:, 4:]
        rest["signal_input_layer.bias"] = torch.zeros(len(weight))
    return rest


def _recognise(official: dict[str, Tensor], source: str | Path, pool: int) -> _System:
    if "mask_output.weight" in official:
        return _seq2exp(official, source, pool)
    if "model.embedding.weight" in official:
        n_layers = _n_layers(official, "model.layers", "mixer.D")
        names = dict(mamba_system(n_layers))
        check_names(names, official, "a Mamba checkpoint", source)
        d_model = _n_channels(official, source, n_signals=0)
        return _System(
            names, PredictorModel(backbone=Mamba(d_model=d_model, n_layers=n_layers), signals=False, pool=pool)
        )
    masked = "encoder.backbone.norm_f.weight" in official
    signals = "signal_input_layer.weight" in official
    n_layers = _n_layers(official, "encoder" if masked else "caduceus")
    names = dict(peak_mask_system(n_layers) if masked else caduceus_system(n_layers, signals=signals))
    check_names(names, official, "a checkpoint of Seq2Exp, a mask of peaks, Caduceus or Mamba", source)
    n_signals = shape_of(official, "signal_input_layer.weight", source)[1] if signals else 0
    d_model = _n_channels(official, source, n_signals=n_signals)
    backbone = Caduceus(d_model=d_model, n_layers=n_layers)
    model = PredictorModel(backbone=backbone, signals=signals, pool=pool, mask="peaks" if masked else "none")
    return _System(names, model, n_signals)


def _seq2exp(official: dict[str, Tensor], source: str | Path, pool: int) -> _System:
    """Describe Seq2Exp; the hard variant has learned positions."""
    hard = "pos_emb" in official
    n_encoder, n_generator = _n_layers(official, "encoder"), _n_layers(official, "generator")
    names = dict(seq2exp_system(n_encoder, n_generator, hard=hard))
    check_names(names, official, "a Seq2Exp checkpoint", source)
    n_signals = shape_of(official, "signal_input_layer.weight", source)[1]
    d_model = _n_channels(official, source, n_signals=n_signals)
    encoder = Caduceus(d_model=d_model, n_layers=n_encoder)
    if not hard:
        generator = Caduceus(d_model=d_model, n_layers=n_generator)
        evidence = _evidence(official, Seq2ExpSoft().evidence)
        soft = Seq2ExpSoft(backbone=encoder, generator=generator, evidence=evidence, pool=pool)
        return _System(names, soft, n_signals, Bottleneck())
    positions = official["pos_emb"]
    if positions.dim() != 3 or positions.shape[1] <= pool:
        raise ConfigError(
            f"{source} has positions of the shape {tuple(positions.shape)}, so a pooled centre of {pool:,} bp leaves "
            "nothing to select. Give the centre (pool) that it was trained with."
        )
    evidence = _evidence(official, Seq2ExpHard().evidence)
    model = Seq2ExpHard(backbone=encoder, evidence=evidence, pool=pool, packing="batch")
    return _System(names, model, n_signals, Bottleneck(mean=0.45, scale=0.1), positions.shape[1])


def _evidence(official: dict[str, Tensor], script: MaskEvidence) -> MaskEvidence:
    """Return the evidence of the official script, with the numbers per signal from the file."""
    shares, against = official["prior_weights"].float().softmax(0), official["signal_betas"].float()
    rounded = {"weights": shares, "against": against}
    return MaskEvidence.parse(
        script.model_dump() | {name: [round(x, 6) for x in numbers.tolist()] for name, numbers in rounded.items()}
    )


def _n_layers(official: dict[str, Tensor], network: str, last: str = "mixer.mamba_fwd.D") -> int:
    return max(1, sum(name.startswith(f"{network}.") and name.endswith(f".{last}") for name in official))


def _n_channels(official: dict[str, Tensor], source: str | Path, *, n_signals: int) -> int:
    """Return the number of channels, after checking the number of signals and features."""
    d_model, width = shape_of(official, "pToExpr.0.weight", source)
    check_inputs(n_signals, width - d_model, source)
    return d_model
