"""Gradient checkpointing: keep the results of each layer for the backward pass, or recompute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from epigx.system.allocator import give_back_freed_memory

__all__ = ["Checkpointed", "checkpoint_layers", "spare_memory"]

Output = TypeVar("Output")


class Checkpointed(nn.Module):
    """A network whose layers are run by :meth:`run_layer`.

    Attributes
    ----------
    checkpoint_layers : bool
        Whether the backward pass recomputes each layer from its input, so that only one layer's activations are in
        memory at a time. Results are the same, bit for bit; a training step takes about a third longer.
    """

    checkpoint_layers = False

    def run_layer(self, layer: Callable[..., Output], *inputs: Any) -> Output:
        """Call a layer. It may be called twice, so it must be deterministic and have no side effects."""
        if not (self.checkpoint_layers and torch.is_grad_enabled()):
            return layer(*inputs)
        output: Output = checkpoint(layer, *inputs, use_reentrant=False)
        return output

    def leaves_gaps(self, precision: torch.dtype) -> bool:
        """Return whether the network allocates and frees large tensors one by one, which fragments memory."""
        return True


def checkpoint_layers(network: nn.Module) -> bool:
    """Turn on checkpointing in every :class:`Checkpointed` module of a network; return whether there is one."""
    parts = [module for module in network.modules() if isinstance(module, Checkpointed)]
    for part in parts:
        part.checkpoint_layers = True
    return bool(parts)


def spare_memory(network: nn.Module, device: torch.device, precision: torch.dtype) -> bool:
    """Return freed memory to the system if the network would fragment it with the tensors of long windows.

    Fragmentation can double the memory. Returning memory costs time, because the system clears each page again, so
    other networks keep it. The setting applies to the whole process
    (:func:`~epigx.system.allocator.give_back_freed_memory`).

    Parameters
    ----------
    device : torch.device
        Where it runs; on a GPU nothing changes, as PyTorch manages that memory.
    precision : torch.dtype
        Precision of its layers; bfloat16 under autocast.

    Returns
    -------
    bool
        Whether freed memory is now returned.
    """
    parts = [module for module in network.modules() if isinstance(module, Checkpointed)]
    if device.type != "cpu" or (parts and not any(part.leaves_gaps(precision) for part in parts)):
        return False
    return give_back_freed_memory()
