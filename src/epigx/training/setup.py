"""Prepare the training of a network and check its settings; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from epigx.layers.checkpointing import spare_memory
from epigx.runs.training_data import TrainingData
from epigx.training.inference import pick_device
from epigx.training.weights import Networks, build_networks

if TYPE_CHECKING:
    from epigx.training.network import Network

__all__ = ["Material", "prepare"]


@dataclass(frozen=True)
class Material(TrainingData):
    """Data and networks of a training."""

    networks: Networks
    """Model and objective with the weights that the seed gives."""
    device: torch.device
    """Device to train on."""


def prepare(method: Network, data: TrainingData) -> Material:
    """Build the networks; where layers are recomputed, the process uses less memory.

    Raises
    ------
    ConfigError
        The model or the objective does not fit the inputs.
    """
    settings, device = method.training, pick_device()
    networks = build_networks(
        method.model, method.objective, data.inputs, seed=settings.seed, recompute_layers=settings.checkpoint_layers
    )
    if settings.checkpoint_layers:
        spare_memory(networks.model, device, torch.bfloat16 if settings.precision == "bf16" else torch.float32)
    return Material(**vars(data), networks=networks, device=device)
