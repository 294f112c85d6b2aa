"""All that can be found wrong before training: data, labels, signals, model; nothing is written yet."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from epigx.layers.checkpointing import spare_memory
from epigx.runs.config import RunConfig
from epigx.runs.training_data import Examples, choose_examples
from epigx.training.inference import pick_device
from epigx.training.weights import Networks, build_networks

__all__ = ["Material", "prepare"]


@dataclass(frozen=True)
class Material(Examples):
    """What a run is made from: its examples, and what learns from them.

    Parameters
    ----------
    networks : Networks
        Model and objective with the weights that the seed gives.
    device : torch.device
        Where to train.
    """

    networks: Networks
    device: torch.device


def prepare(config: RunConfig) -> Material:
    """Choose the examples and build the networks; where layers are computed anew, the process spares memory.

    Raises
    ------
    DatasetError
        What :func:`~epigx.runs.training_data.choose_examples` finds.
    ConfigError
        The model or the objective does not fit the inputs.
    """
    examples = choose_examples(config.data, config.model.needs)
    networks, device = build_networks(config, examples.inputs, seed=config.training.seed), pick_device()
    if config.training.checkpoint_layers:
        precision = torch.bfloat16 if config.training.precision == "bf16" else torch.float32
        spare_memory(networks.model, device, precision)
    return Material(**vars(examples), networks=networks, device=device)
