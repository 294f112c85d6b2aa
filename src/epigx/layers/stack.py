"""A stack of Mamba blocks, read in one direction or in both."""

from __future__ import annotations

import math
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook

from epigx.kernels import kernel_in_use
from epigx.layers import mamba_inplace
from epigx.layers.checkpointing import Checkpointed
from epigx.layers.linear import Projection, autocast_enabled
from epigx.layers.mamba import BiMamba, Scan
from epigx.layers.norm import RMSNorm

__all__ = ["BYTES_PER_CHANNEL", "MambaBlock", "MambaStack"]

BYTES_PER_CHANNEL = 36_000 / 512
"""Rough memory that training keeps for the backward pass, in bytes per position, channel and block."""

BASES_IN_FLIGHT = 2**14
"""Bases that are read at a time when nothing is trained: what a layer computes of them stays in the cache."""


class MambaBlock(nn.Module):
    """A norm, and the mixer that reads from it; the stack adds what it says to the residual stream.

    Parameters
    ----------
    mixer : BiMamba
        What mixes the positions.
    d_model : int
        Channels of its input and output.
    """

    def __init__(self, mixer: BiMamba, d_model: int) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.mixer = mixer


class MambaStack(Checkpointed):
    """x ← x + mixer(RMSNorm(x)) block by block, and a last RMSNorm.

    Each block's projection out starts smaller by the root of the number of blocks, so that the variance of the sum
    over blocks does not grow with depth.

    Parameters
    ----------
    n_layers : int
        Blocks.
    d_model, d_state, d_conv, expand : int
        Sizes of each, as in :class:`~epigx.layers.mamba.BiMamba`.
    bidirectional : bool
        Whether the blocks read the window from its end too.
    """

    def __init__(
        self, n_layers: int, d_model: int, d_state: int, d_conv: int, expand: int, *, bidirectional: bool
    ) -> None:
        super().__init__()
        mixers = (BiMamba(d_model, d_state, d_conv, expand, bidirectional=bidirectional) for _ in range(n_layers))
        self.blocks = nn.ModuleList(MambaBlock(mixer, d_model) for mixer in mixers)
        self.norm = RMSNorm(d_model)
        with torch.no_grad():
            for parameter in (p for name, p in self.named_parameters() if name.endswith("out_proj.weight")):
                parameter.div_(math.sqrt(n_layers))

    def forward(self, x: Float[Tensor, "batch length channel"]) -> Float[Tensor, "batch length channel"]:
        """Read the window, block by block; a few windows at a time when no gradient is asked for."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            return self._read(x)
        # What comes out does not depend on how many windows are read together, so each thread has one.
        size = max(BASES_IN_FLIGHT // max(x.shape[1], 1), torch.get_num_threads())
        if len(x) <= size:
            return self._read(x)
        if self._runs_in_place(x):
            # All parts work in one room, taken once the place of the result is.
            hidden, weights = x.new_empty(x.shape), self._weights()
            room = mamba_inplace.allocate_buffers(x[:size], weights[0].inner)
            for first in range(0, len(x), size):
                part, out = x[first : first + size].contiguous(), hidden[first : first + size]
                mamba_inplace.read(part, weights, self.norm.weight, self.norm.eps, room=room, out=out)
            return hidden
        part = self._read(x[:size])
        hidden = part.new_empty(x.shape)  # in the precision of what is read, which under autocast is not that of x
        hidden[:size] = part
        for first in range(size, len(x), size):
            hidden[first : first + size] = self._read(x[first : first + size])
        return hidden

    def leaves_gaps(self, precision: torch.dtype) -> bool:
        """Say whether the blocks are run one by one, and not by `lean` in one piece of memory."""
        native = kernel_in_use("cpu").name == "native"
        return not (native and precision == torch.float32 and self._as_built())

    def _read(self, x: Tensor) -> Tensor:
        anew = torch.is_grad_enabled()
        if (self.checkpoint_layers or not anew) and self._runs_in_place(x):
            run = mamba_inplace.read_anew if anew else mamba_inplace.read
            return run(x.contiguous(), self._weights(), self.norm.weight, self.norm.eps)
        # A layer ends with the norm that the next one reads, since adding to the stream and normalising it are one
        # pass; and while a mixer runs, nothing but the stream and its norm is alive.
        blocks = cast(list[MambaBlock], list(self.blocks))
        norms = [*(block.norm for block in blocks), self.norm]
        residual, normed = x, cast(Tensor, norms[0](x))
        for block, norm in zip(blocks, norms[1:], strict=True):
            residual, normed = self.run_layer(_layer, block.mixer, norm, residual, normed)
        return normed

    def _weights(self) -> list[mamba_inplace.Weights]:
        return [_block_weights(block) for block in cast(list[MambaBlock], list(self.blocks))]

    def _runs_in_place(self, x: Tensor) -> bool:
        """Say whether `lean` computes what the modules would: native, float32, and all as it was built."""
        return (
            not torch.compiler.is_compiling()
            and kernel_in_use(x.device).name == "native"
            and not autocast_enabled(x.device)
            and x.dtype == torch.float32
            and x.numel() > 0
            and self._as_built()
        )

    def _as_built(self) -> bool:
        """Say whether no part was replaced, patched, hooked or given another shape or precision than the others."""
        parts = [module for module in self.modules() if module is not self]
        shapes = {tuple((name, p.shape) for name, p in block.named_parameters()) for block in self.blocks}
        return (
            type(self) is MambaStack
            and len(shapes) == 1
            and all(type(part) in PARTS and "forward" not in vars(part) for part in parts)
            and all(part.eps == self.norm.eps for part in parts if isinstance(part, RMSNorm))
            and all(part.bias is None for part in parts if isinstance(part, Projection))
            and all(tensor.dtype == torch.float32 and tensor.is_contiguous() for tensor in self.parameters())
            and not (
                _has_any_global_hook()  # type: ignore[no-untyped-call]
                or any(map(_hooked, parts))
            )
        )


PARTS = (nn.ModuleList, MambaBlock, BiMamba, Scan, Projection, RMSNorm)


def _layer(mixer: nn.Module, norm: RMSNorm, residual: Tensor, normed: Tensor) -> tuple[Tensor, Tensor]:
    return norm.add(mixer(normed), residual)


def _block_weights(block: MambaBlock) -> mamba_inplace.Weights:
    mixer = block.mixer
    scans = [mixer.forward_scan, *([] if mixer.reverse_scan is None else [mixer.reverse_scan])]
    fields = tuple(tensor for scan in scans for tensor in scan.direction())
    return mamba_inplace.Weights(block.norm.weight, mixer.in_proj.weight, mixer.out_proj.weight, fields)


def _hooked(module: nn.Module) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return any(map(len, hooks))
