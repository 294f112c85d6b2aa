"""The learning rate of each step, and the parameters without weight decay."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from epigx.training.config import TrainingConfig

__all__ = ["learning_rate", "parameter_groups"]

_PYTORCH_LAYERS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.Embedding)
"""PyTorch's layers whose parameters are not decayed; other layers name theirs in ``no_weight_decay``."""


def learning_rate(step: int, config: TrainingConfig) -> float:
    """Return the learning rate of a step: linear warm-up, then half a cosine down to ``lr_min`` (Table 9).

    Parameters
    ----------
    step : int
        Number of the step, from 0.
    config : TrainingConfig
        ``lr``, ``lr_min``, ``warmup_lr``, ``warmup_steps`` and ``steps``; after ``steps`` the rate is ``lr_min``.

    Examples
    --------
    >>> [learning_rate(k, TrainingConfig()) for k in (0, 5_000, 27_500, 50_000)]
    [1e-05, 0.0005, 0.0003, 0.0001]
    """
    if step < config.warmup_steps:
        return config.warmup_lr + step * ((config.lr - config.warmup_lr) / config.warmup_steps)
    if step >= config.steps:
        return config.lr_min
    phase = math.pi * (step - config.warmup_steps) / (config.steps - config.warmup_steps)
    return config.lr_min + 0.5 * (config.lr - config.lr_min) * (1 + math.cos(phase))


def parameter_groups(*modules: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the parameters of model and objective into those with weight decay and those without, for AdamW.

    No weight decay: parameters whose name ends in ``bias``, those of batch and layer normalisation and of embeddings,
    and those that a layer names in its ``no_weight_decay``. The weights of RMSNorm are decayed, as in the official
    code.

    Returns
    -------
    list of dict
        ``[{"params", "weight_decay"}, {"params", "weight_decay": 0.0}]``.
    """
    decayed: list[nn.Parameter] = []
    undecayed: list[nn.Parameter] = []
    for owner in (owner for module in modules for owner in module.modules()):
        for name, parameter in owner.named_parameters(recurse=False):
            named = name.endswith("bias") or name in getattr(owner, "no_weight_decay", ())
            (undecayed if named or isinstance(owner, _PYTORCH_LAYERS) else decayed).append(parameter)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": undecayed, "weight_decay": 0.0}]
