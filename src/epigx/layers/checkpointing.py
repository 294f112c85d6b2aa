"""Networks of layers one after the other: what each layer computed can be kept for the backward pass, or made again."""

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
        Whether the backward pass computes each layer anew from its input, so that only one layer's activations exist at
        a time. The numbers are the same, bit for bit; a step takes about a third longer.
    """

    checkpoint_layers = False

    def run_layer(self, layer: Callable[..., Output], *inputs: Any) -> Output:
        """Call a layer; it must give the same for the same input, and change nothing, as it may be called twice."""
        if not (self.checkpoint_layers and torch.is_grad_enabled()):
            return layer(*inputs)
        output: Output = checkpoint(layer, *inputs, use_reentrant=False)
        return output

    def leaves_gaps(self, precision: torch.dtype) -> bool:
        """Say whether large tensors come and go one by one, which leaves gaps in memory that others do not fit."""
        return True


def checkpoint_layers(network: nn.Module) -> bool:
    """Let every :class:`Checkpointed` part of a network compute its layers anew; say whether there is one."""
    parts = [module for module in network.modules() if isinstance(module, Checkpointed)]
    for part in parts:
        part.checkpoint_layers = True
    return bool(parts)


def spare_memory(network: nn.Module, device: torch.device, precision: torch.dtype) -> bool:
    """Let freed memory go back to the system for the sake of long windows, if a network would leave gaps in it.

    Those can double the memory; but the system then clears each page anew, so others keep what they have. It holds for
    the whole process (:func:`~epigx.kernels.give_back_freed_memory`).

    Parameters
    ----------
    network : nn.Module
        What is about to be run.
    device : torch.device
        Where; of a GPU's memory PyTorch takes care itself.
    precision : torch.dtype
        In which its layers compute: bfloat16 under autocast.

    Returns
    -------
    bool
        Whether this call had memory given back.
    """
    parts = [module for module in network.modules() if isinstance(module, Checkpointed)]
    if device.type != "cpu" or (parts and not any(part.leaves_gaps(precision) for part in parts)):
        return False
    return give_back_freed_memory()
