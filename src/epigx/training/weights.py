"""The two networks of a run, the model and the objective, and their weights in one safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from epigx.dataset.inputs import Inputs
from epigx.errors import ConfigError, RunError
from epigx.layers.checkpointing import checkpoint_layers
from epigx.models import Model
from epigx.objectives import Objective, ObjectiveModule
from epigx.system.atomic import atomic_file

__all__ = ["Networks", "build_networks", "read_weights", "write_weights"]


class Networks(NamedTuple):
    """The model and the objective of a run."""

    model: nn.Module
    """The network that predicts."""
    objective: ObjectiveModule
    """Turns a batch into a loss; may have weights of its own, such as the confounder encoder g_ω."""

    def weights(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name, ``model.*`` and ``objective.*``; the networks' own memory."""
        return {
            f"{owner}.{name}": tensor
            for owner, network in self._asdict().items()
            for name, tensor in network.state_dict().items()
        }

    def load(self, weights: dict[str, Tensor], *, source: str) -> None:
        """Copy weights into the networks; RunError if their names and shapes do not match exactly."""
        own = self.weights()
        for name in sorted(own.keys() ^ weights.keys()):
            which = "lacks the weight" if name in own else "has the unexpected weight"
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


def build_networks(
    model: Model, objective: Objective, inputs: Inputs, *, seed: int = 0, recompute_layers: bool = False
) -> Networks:
    """Build a run's networks with fresh weights, which depend on ``seed`` only; the global generator is unchanged.

    With ``recompute_layers``, the backward pass recomputes layers (``training.checkpoint_layers``).

    Raises
    ------
    ConfigError
        The objective does not accept such short windows; or ``recompute_layers``, and the model has no such layers.
    """
    objective.check_length(inputs.window)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = model.build(len(inputs.signals), len(inputs.features), inputs.window)
        loss = objective.build(model, len(inputs.signals), inputs.background)
    if recompute_layers and not checkpoint_layers(network):
        raise ConfigError(
            "training.checkpoint_layers is true, and the model has no layers that can be recomputed. Set it to false."
        )
    return Networks(network, loss)


def write_weights(path: Path, networks: Networks) -> None:
    """Write all weights to a safetensors file, atomically."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in networks.weights().items()}
    with atomic_file(path) as partial:
        # Not save_file: on a full disk its error is not an OSError.
        partial.write_bytes(save(weights, metadata={"format": "pt"}))


def read_weights(path: Path, networks: Networks) -> None:
    """Load a safetensors file into networks; RunError if it is missing or damaged, or belongs to other networks."""
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} cannot be read: {error}. Copy the run again from the original.") from None
    networks.load(weights, source=str(path))
