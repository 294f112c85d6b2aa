"""The two networks of a run, the model and the objective, and their weights in one safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from epigx.dataset.inputs import Inputs
from epigx.errors import ConfigError, RunError
from epigx.layers.checkpointing import checkpoint_layers
from epigx.runs.config import RunConfig
from epigx.system.atomic import atomic_file

__all__ = ["Networks", "build_networks", "read_weights", "weight_names", "write_weights"]


class Networks(NamedTuple):
    """What is trained."""

    model: nn.Module
    """Predicts; all that inference needs."""
    objective: nn.Module
    """Turns a batch into a loss; may learn something of its own, such as the confounder encoder g_ω."""

    def weights(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name, ``model.*`` and ``objective.*``; the networks' own memory."""
        return {
            f"{owner}.{name}": tensor
            for owner, network in self._asdict().items()
            for name, tensor in network.state_dict().items()
        }

    def load(self, weights: dict[str, Tensor], *, source: str) -> None:
        """Take over weights; each has to find its place.

        Raises
        ------
        RunError
            A weight is missing, is left over, or has another shape.
        """
        own = self.weights()
        for name in sorted(own.keys() ^ weights.keys()):
            which = "lacks" if name in own else "has, and the model lacks,"
            raise RunError(f"{source} {which} {name!r}: it belongs to another model than config.yaml describes.")
        for name, tensor in weights.items():
            if tensor.shape != own[name].shape:
                raise RunError(
                    f"{source}: {name!r} has the shape {tuple(tensor.shape)} instead of {tuple(own[name].shape)}: "
                    "it belongs to another model than config.yaml describes."
                )
            own[name].copy_(tensor)

    def parameters(self) -> dict[str, int]:
        """Count the parameters of each."""
        return {owner: sum(p.numel() for p in network.parameters()) for owner, network in self._asdict().items()}


def build_networks(config: RunConfig, inputs: Inputs, *, seed: int = 0) -> Networks:
    """Build a run's networks with fresh weights, as ``seed`` alone decides; the global generator is left as it was.

    Raises
    ------
    ConfigError
        The objective does not take such short windows; or layers are to be computed anew in the backward pass, and the
        model has none for which that is possible.
    """
    config.objective.check_length(inputs.window)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = config.model.build(len(inputs.signals), len(inputs.features), inputs.window)
        objective = config.objective.build(config.model, len(inputs.signals), inputs.background)
    if config.training.checkpoint_layers and not checkpoint_layers(model):
        raise ConfigError(
            "training.checkpoint_layers is true, and the model has no layers that can be computed anew. "
            "Set it to false."
        )
    return Networks(model, objective)


def write_weights(path: Path, networks: Networks) -> None:
    """Write all weights to a safetensors file, at once."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in networks.weights().items()}
    with atomic_file(path) as partial:
        # Not by save_file, whose error on a full disk is none of the system's.
        partial.write_bytes(save(weights, metadata={"format": "pt"}))


def weight_names(path: Path) -> frozenset[str]:
    """Return the names in a safetensors file, from its header.

    Raises
    ------
    RunError
        The file is absent, damaged or cut short.
    """
    try:
        with safe_open(path, "pt") as file:
            return frozenset(file.keys())
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read: {error}. Copy the run again from where it came.") from None


def read_weights(path: Path, networks: Networks) -> None:
    """Load a safetensors file into networks.

    Raises
    ------
    RunError
        The file is absent or damaged, or belongs to other networks.
    """
    names = weight_names(path)
    with safe_open(path, "pt") as file:
        networks.load({name: file.get_tensor(name) for name in names}, source=str(path))
