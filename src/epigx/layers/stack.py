"""A stack of Mamba blocks, in one direction or in both."""

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
"""Positions per batch of windows without gradients: few enough that a layer's results stay in the cache."""


class MambaBlock(nn.Module):
    """A norm and the mixer that follows it; the stack adds the mixer's output to the residual stream."""

    def __init__(self, mixer: BiMamba, d_model: int) -> None:
        super().__init__()
        self.norm = RMSNorm(d_model)
        self.mixer = mixer


class MambaStack(Checkpointed):
    """x ← x + mixer(RMSNorm(x)) for each block, and a final RMSNorm.

    The output projections are initialised smaller by a factor of sqrt(n_layers), so that the variance of the residual
    stream does not grow with depth. The sizes of a block are those of :class:`~epigx.layers.mamba.BiMamba`.
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
        """Run the blocks over the windows; without gradients, a few windows at a time."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            return self._read(x)
        # Results do not depend on the number of windows per batch; at least one window per thread.
        size = max(BASES_IN_FLIGHT // max(x.shape[1], 1), torch.get_num_threads())
        if len(x) <= size:
            return self._read(x)
        if self._runs_in_place(x):
            # All batches share buffers, allocated after the result.
            hidden, weights = x.new_empty(x.shape), self._weights()
            buffers = mamba_inplace.allocate_buffers(x[:size], weights[0].inner)
            for first in range(0, len(x), size):
                part, out = x[first : first + size].contiguous(), hidden[first : first + size]
                mamba_inplace.read(part, weights, self.norm.weight, self.norm.eps, buffers=buffers, out=out)
            return hidden
        part = self._read(x[:size])
        hidden = part.new_empty(x.shape)  # autocast may change the precision
        hidden[:size] = part
        for first in range(size, len(x), size):
            hidden[first : first + size] = self._read(x[first : first + size])
        return hidden

    def leaves_gaps(self, precision: torch.dtype) -> bool:
        """Return whether the blocks run one by one, and not in the reused buffers of :mod:`mamba_inplace`."""
        native = kernel_in_use("cpu").name == "native"
        return not (native and precision == torch.float32 and self._as_built())

    def _read(self, x: Tensor) -> Tensor:
        trains = torch.is_grad_enabled()
        if (self.checkpoint_layers or not trains) and self._runs_in_place(x):
            run = mamba_inplace.read_checkpointed if trains else mamba_inplace.read
            return run(x.contiguous(), self._weights(), self.norm.weight, self.norm.eps)
        # A layer ends with the norm of the next block, because adding to the stream and normalising it is one kernel.
        # While a mixer runs, only the stream and its norm are in memory.
        blocks = cast(list[MambaBlock], list(self.blocks))
        norms = [*(block.norm for block in blocks), self.norm]
        residual, normed = x, cast(Tensor, norms[0](x))
        for block, norm in zip(blocks, norms[1:], strict=True):
            residual, normed = self.run_layer(_layer, block.mixer, norm, residual, normed)
        return normed

    def _weights(self) -> list[mamba_inplace.Weights]:
        return [_block_weights(block) for block in cast(list[MambaBlock], list(self.blocks))]

    def _runs_in_place(self, x: Tensor) -> bool:
        """Return whether :mod:`mamba_inplace` computes the same as the modules: native, float32, modules unchanged."""
        return (
            not torch.compiler.is_compiling()
            and kernel_in_use(x.device).name == "native"
            and not autocast_enabled(x.device)
            and x.dtype == torch.float32
            and x.numel() > 0
            and self._as_built()
        )

    def _as_built(self) -> bool:
        """Return whether no module was replaced, patched or hooked, and all blocks have equal shapes in float32."""
        parts = [module for module in self.modules() if module is not self]
        shapes = {tuple((name, p.shape) for name, p in block.named_parameters()) for block in self.blocks}
        return (
            type(self) is MambaStack
            and len(shapes) == 1
            and all(type(part) in PARTS and "forward" not in vars(part) for part in parts)
            and all(part.eps == self.norm.eps for part in parts if isinstance(part, RMSNorm))
            and all(part.bias is None for part in parts if isinstance(part, Projection))
            and all(tensor.dtype == torch.float32 and tensor.is_contiguous() for tensor in self.parameters())
            and not (_has_any_global_hook() or any(map(_hooked, parts)))  # type: ignore[no-untyped-call]
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
