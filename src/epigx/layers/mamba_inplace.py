"""Runs a stack of Mamba blocks in reused buffers, with the native kernel and in float32.

With D channels and E inner channels, a forward pass needs, per position, the residual stream (D floats), the output of
the input projection (2 E) and the output of the scan (E). Buffers are reused: the norm is written where the scan's
output will be, and the output projection where the output of the input projection was.

The backward pass with checkpoints keeps the residual stream after each block and recomputes everything else. It also
needs the gradients of the stream (D) and of the input projection (2 E), and what the scan keeps (1.4 E at 16 states and
rank 8).

Each pass allocates its buffers as one tensor. With separate tensors, memory would grow by fragmentation: glibc does not
reuse the memory of a freed tensor for one of the same size, because PyTorch asks for some extra bytes to align it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from epigx.kernels import out_ops

__all__ = ["Weights", "allocate_buffers", "read", "read_checkpointed"]

LINE = 16
"""Floats per cache line; buffers start at a multiple of it."""


class Weights(NamedTuple):
    """The parameters of one block."""

    norm: Tensor
    """Scale of the norm before the mixer."""
    project_in: Tensor
    project_out: Tensor
    scans: tuple[Tensor, ...]
    """The fields of one direction, or of both directions one after the other."""

    @property
    def inner(self) -> int:
        """Inner channels E."""
        return self.project_out.shape[1]

    @classmethod
    def split(cls, parameters: Sequence[Tensor], count: int) -> list[Weights]:
        """Group a flat sequence of parameters into `count` blocks."""
        size = len(parameters) // count
        rows = (parameters[first : first + size] for first in range(0, len(parameters), size))
        return [cls(norm, project_in, project_out, tuple(scans)) for norm, project_in, project_out, *scans in rows]

    def flat(self) -> tuple[Tensor, ...]:
        """Return the parameters as a flat tuple, which :meth:`split` reads."""
        return self.norm, self.project_in, self.project_out, *self.scans


def read(
    x: Float[Tensor, "batch length channel"],
    blocks: Sequence[Weights],
    last_norm: Float[Tensor, " channel"],
    eps: float,
    streams: Sequence[Tensor] | None = None,
    buffers: Sequence[Tensor] | None = None,
    out: Tensor | None = None,
) -> Float[Tensor, "batch length channel"]:
    """Run the blocks and the final norm of scale ``last_norm``, without gradients; ``x`` is not modified.

    Parameters
    ----------
    streams : sequence of Float[Tensor, "batch length channel"], optional
        Receive the residual stream after each block. By default only the latest one is kept.
    buffers : sequence of Tensor, optional
        Working memory from :func:`allocate_buffers` for at least as many positions; allocated by default.
    out : Float[Tensor, "batch length channel"], optional
        Receives the result.
    """
    hidden = torch.empty_like(x) if out is None else out
    project, scan = buffers or allocate_buffers(x, blocks[0].inner)
    positions, inner = x.shape[0] * x.shape[1], blocks[0].inner
    xz, scanned = (
        memory[: positions * channels].view(*x.shape[:2], channels)
        for memory, channels in ((project, 2 * inner), (scan, inner))
    )
    mixed, normed = _view(project, x), _view(scan, x)
    stream = x
    out_ops.rms_norm(x, blocks[0].norm, eps, normed)
    for i, block in enumerate(blocks):
        last = i + 1 == len(blocks)
        out_ops.linear(normed, block.project_in, xz)
        out_ops.bimamba_inner(xz, block.scans, scanned, None, None)
        out_ops.linear(scanned, block.project_out, mixed)
        after = hidden if streams is None else streams[i]
        norm = last_norm if last else blocks[i + 1].norm
        out_ops.add_rms_norm(mixed, stream, norm, eps, after, hidden if last else normed)
        stream = after
    return hidden


def read_checkpointed(
    x: Float[Tensor, "batch length channel"],
    blocks: Sequence[Weights],
    last_norm: Float[Tensor, " channel"],
    eps: float,
) -> Float[Tensor, "batch length channel"]:
    """Do the same as :func:`read` with gradients; the backward pass recomputes each block."""
    parameters = [tensor for block in blocks for tensor in block.flat()]
    hidden: Tensor = _Checkpointed.apply(x, len(blocks), eps, last_norm, *parameters)  # type: ignore[no-untyped-call]
    return hidden


class _Checkpointed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, count: int, eps: float, last_norm: Tensor, *parameters: Tensor) -> Tensor:
        streams, blocks = x.new_empty(count, *x.shape), Weights.split(parameters, count)
        ctx.count, ctx.eps, ctx.buffers = count, eps, allocate_buffers(x, blocks[0].inner)
        ctx.save_for_backward(x, streams, last_norm, *parameters)
        return read(x, blocks, last_norm, eps, list(streams), ctx.buffers)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_hidden: Tensor) -> tuple[Tensor | None, ...]:
        x, streams, last_norm, *parameters = ctx.saved_tensors
        d_stream = torch.empty_like(x)
        d_last_norm = out_ops.add_rms_norm_backward(
            None, d_hidden.contiguous(), streams[-1], last_norm, ctx.eps, d_stream
        )
        blocks = Weights.split(parameters, ctx.count)
        # Reuse the buffers of the forward pass: new ones would not fit into the memory that they leave.
        recomputed = _Recomputed(x, blocks[0], ctx.eps, ctx.buffers or allocate_buffers(x, blocks[0].inner))
        ctx.buffers = None
        gradients = [recomputed.backward(blocks[i], streams[i - 1], d_stream) for i in range(ctx.count - 1, 0, -1)]
        gradients = [recomputed.backward_first(blocks[0], x, d_stream), *reversed(gradients)]
        return d_stream, None, None, d_last_norm, *(tensor for block in gradients for tensor in block.flat())


class _Recomputed:
    """Recomputes blocks and passes gradients through them, one after the other in the same buffers."""

    def __init__(self, x: Tensor, block: Weights, eps: float, buffers: Sequence[Tensor]) -> None:
        self.eps = eps
        project, scan = buffers
        kept = out_ops.kept_sizes(x.shape[0], x.shape[1], block.scans)
        d_project, self.projected, self.states = _memory(x, project.numel(), *kept)
        self.xz, self.out, self.d_xz = (each.view(*x.shape[:2], -1) for each in (project, scan, d_project))
        # The norm is needed before the scan's output and after its gradient, so it shares their buffer.
        self.normed, self.d_normed = _view(scan, x), _view(project, x)

    def backward(self, block: Weights, stream: Tensor, d_stream: Tensor) -> Weights:
        """Replace the gradient of the stream after a block by that before it; return the parameter gradients."""
        gradients = self._mixer(block, stream, d_stream)
        d_norm = out_ops.add_rms_norm_backward(d_stream, self.d_normed, stream, block.norm, self.eps, d_stream)
        return gradients._replace(norm=d_norm)

    def backward_first(self, block: Weights, x: Tensor, d_stream: Tensor) -> Weights:
        """Do the same for the first block, whose input is both normalised and the start of the stream."""
        gradients = self._mixer(block, x, d_stream)
        dx = self.normed
        d_norm = out_ops.rms_norm_backward(self.d_normed, x, block.norm, self.eps, dx)
        d_stream += dx
        return gradients._replace(norm=d_norm)

    def _mixer(self, block: Weights, stream: Tensor, d_stream: Tensor) -> Weights:
        """Write the gradient of the norm to `d_normed` and return the other parameter gradients of a block."""
        xz, out, d_xz, normed = self.xz, self.out, self.d_xz, self.normed
        out_ops.rms_norm(stream, block.norm, self.eps, normed)
        out_ops.linear(normed, block.project_in, xz)
        out_ops.bimamba_inner(xz, block.scans, out, self.projected, self.states)
        d_project_out = out_ops.weight_gradient(d_stream, out)
        out_ops.linear_backward(d_stream, block.project_out, out)  # now holds its gradient
        d_scans = out_ops.bimamba_inner_backward(out, xz, block.scans, self.projected, self.states, d_xz)
        out_ops.linear_backward(d_xz, block.project_in, self.d_normed)
        out_ops.rms_norm(stream, block.norm, self.eps, normed)
        d_project_in = out_ops.weight_gradient(d_xz, normed)
        return Weights(block.norm, d_project_in, d_project_out, tuple(d_scans))


def allocate_buffers(x: Float[Tensor, "batch length channel"], inner: int) -> list[Tensor]:
    """Allocate memory for the outputs of the input projection and of the scan of a block with `inner` channels."""
    positions = x.shape[0] * x.shape[1]
    return _memory(x, positions * 2 * inner, positions * inner)


def _memory(like: Tensor, *sizes: int) -> list[Tensor]:
    """Allocate one tensor and return pieces of the given sizes, in floats."""
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + -(-size // LINE) * LINE)
    whole = like.new_empty(starts[-1])
    return [whole[first : first + size] for (first, _), size in zip(pairwise(starts), sizes, strict=True)]


def _view(memory: Tensor, x: Tensor) -> Tensor:
    """Return the start of a buffer in the shape of x."""
    return memory[: x.numel()].view_as(x)
