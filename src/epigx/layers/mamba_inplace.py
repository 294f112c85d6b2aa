"""A stack of Mamba blocks in as little memory as its results need, on the native kernel and in float32.

With D channels and E inner ones, a reading takes a residual stream (D numbers for each base), the result of the
projection in (2 E) and that of the scan (E). What is dead lends its place to what comes next: a norm lies where the
scan's result will be, and the projection out where that of the projection in was.

The pass back has the residual stream after each block, computes all else of a block anew from the one before it, and
needs besides the gradients of the stream (D) and of the projection in (2 E), and what the scan keeps (1.4 E at 16
states and rank 8).

Each pass takes its memory in one piece. Piece by piece, it would depend on the gaps between what is alive: glibc does
not find the place of a tensor for another one of the same size, since it asks for some bytes more to align it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from epigx.kernels import out_ops

__all__ = ["Weights", "allocate_buffers", "read", "read_anew"]

LINE = 16
"""Floats of a cache line, on which each part of a piece of memory starts."""


class Weights(NamedTuple):
    """The parameters of one block."""

    norm: Tensor
    """Scale of the norm before the mixer."""
    project_in: Tensor
    project_out: Tensor
    scans: tuple[Tensor, ...]
    """The fields of one direction, or of both in a row."""

    @property
    def inner(self) -> int:
        """Inner channels E."""
        return self.project_out.shape[1]

    @classmethod
    def split(cls, parameters: Sequence[Tensor], count: int) -> list[Weights]:
        """Take `count` blocks' parameters apart that stand in a row."""
        size = len(parameters) // count
        rows = (parameters[first : first + size] for first in range(0, len(parameters), size))
        return [cls(norm, project_in, project_out, tuple(scans)) for norm, project_in, project_out, *scans in rows]

    def in_a_row(self) -> tuple[Tensor, ...]:
        """Return the parameters as :meth:`split` takes them."""
        return self.norm, self.project_in, self.project_out, *self.scans


def read(
    x: Float[Tensor, "batch length channel"],
    blocks: Sequence[Weights],
    last_norm: Float[Tensor, " channel"],
    eps: float,
    streams: Sequence[Tensor] | None = None,
    room: Sequence[Tensor] | None = None,
    out: Tensor | None = None,
) -> Float[Tensor, "batch length channel"]:
    """Run the blocks and the last norm, without gradients.

    Parameters
    ----------
    x : Float[Tensor, "batch length channel"]
        The residual stream at the start; it is left as it is.
    blocks : sequence of Weights
        In their order.
    last_norm : Float[Tensor, "channel"]
        Scale of the norm at the end.
    eps : float
        Added to each norm's mean square.
    streams : sequence of Float[Tensor, "batch length channel"], optional
        Receive the stream after each block. Without them it has one place, in which the result is at the end.
    room : sequence of Tensor, optional
        Memory to work in, as :func:`allocate_buffers` gives it for as many positions or more; taken here if it is not given.
    out : Float[Tensor, "batch length channel"], optional
        Receives what is returned.

    Returns
    -------
    Float[Tensor, "batch length channel"]
        The stream at the end, normalised.
    """
    hidden = torch.empty_like(x) if out is None else out
    project, scan = room or allocate_buffers(x, blocks[0].inner)
    positions, inner = x.shape[0] * x.shape[1], blocks[0].inner
    xz, scanned = (
        memory[: positions * channels].view(*x.shape[:2], channels)
        for memory, channels in ((project, 2 * inner), (scan, inner))
    )
    mixed, normed = _place(project, x), _place(scan, x)
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


def read_anew(
    x: Float[Tensor, "batch length channel"],
    blocks: Sequence[Weights],
    last_norm: Float[Tensor, " channel"],
    eps: float,
) -> Float[Tensor, "batch length channel"]:
    """Do as :func:`read` does, with gradients, for which the pass back computes each block anew.

    Parameters
    ----------
    x, blocks, last_norm, eps
        As in :func:`read`.

    Returns
    -------
    Float[Tensor, "batch length channel"]
        The stream at the end, normalised.
    """
    parameters = [tensor for block in blocks for tensor in block.in_a_row()]
    hidden: Tensor = _ReadAnew.apply(x, len(blocks), eps, last_norm, *parameters)  # type: ignore[no-untyped-call]
    return hidden


class _ReadAnew(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, count: int, eps: float, last_norm: Tensor, *parameters: Tensor) -> Tensor:
        streams, blocks = x.new_empty(count, *x.shape), Weights.split(parameters, count)
        ctx.count, ctx.eps, ctx.room = count, eps, allocate_buffers(x, blocks[0].inner)
        ctx.save_for_backward(x, streams, last_norm, *parameters)
        return read(x, blocks, last_norm, eps, list(streams), ctx.room)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_hidden: Tensor) -> tuple[Tensor | None, ...]:
        x, streams, last_norm, *parameters = ctx.saved_tensors
        d_stream = torch.empty_like(x)
        d_last_norm = out_ops.add_rms_norm_backward(
            None, d_hidden.contiguous(), streams[-1], last_norm, ctx.eps, d_stream
        )
        blocks = Weights.split(parameters, ctx.count)
        # The room that the reading had is kept for the pass back, since another one would not find that place empty.
        anew = _Anew(x, blocks[0], ctx.eps, ctx.room or allocate_buffers(x, blocks[0].inner))
        ctx.room = None
        gradients = [anew.back(blocks[i], streams[i - 1], d_stream) for i in range(ctx.count - 1, 0, -1)]
        gradients = [anew.back_to_start(blocks[0], x, d_stream), *reversed(gradients)]
        return d_stream, None, None, d_last_norm, *(tensor for block in gradients for tensor in block.in_a_row())


class _Anew:
    """Blocks that are computed anew and passed back, one after the other in the same memory."""

    def __init__(self, x: Tensor, block: Weights, eps: float, room: Sequence[Tensor]) -> None:
        self.eps = eps
        project, scan = room
        kept = out_ops.kept_sizes(x.shape[0], x.shape[1], block.scans)
        d_project, self.projected, self.states = _memory(x, project.numel(), *kept)
        self.xz, self.out, self.d_xz = (each.view(*x.shape[:2], -1) for each in (project, scan, d_project))
        # The norm comes before the scan's result and after its gradient, in the same place.
        self.normed, self.d_normed = _place(scan, x), _place(project, x)

    def back(self, block: Weights, stream: Tensor, d_stream: Tensor) -> Weights:
        """Turn the gradient of the stream after a block into that before it; return those of the parameters."""
        gradients = self._mixer(block, stream, d_stream)
        d_norm = out_ops.add_rms_norm_backward(d_stream, self.d_normed, stream, block.norm, self.eps, d_stream)
        return gradients._replace(norm=d_norm)

    def back_to_start(self, block: Weights, x: Tensor, d_stream: Tensor) -> Weights:
        """Do so for the first block, before which nothing is added: x is used twice."""
        gradients = self._mixer(block, x, d_stream)
        dx = self.normed
        d_norm = out_ops.rms_norm_backward(self.d_normed, x, block.norm, self.eps, dx)
        d_stream += dx
        return gradients._replace(norm=d_norm)

    def _mixer(self, block: Weights, stream: Tensor, d_stream: Tensor) -> Weights:
        """Leave the gradient of the norm in `d_normed`, and return the others of a block."""
        xz, out, d_xz, normed = self.xz, self.out, self.d_xz, self.normed
        out_ops.rms_norm(stream, block.norm, self.eps, normed)
        out_ops.linear(normed, block.project_in, xz)
        out_ops.bimamba_inner(xz, block.scans, out, self.projected, self.states)
        d_project_out = out_ops.weight_gradient(d_stream, out)
        out_ops.linear_backward(d_stream, block.project_out, out)  # from here on its gradient
        d_scans = out_ops.bimamba_inner_backward(out, xz, block.scans, self.projected, self.states, d_xz)
        out_ops.linear_backward(d_xz, block.project_in, self.d_normed)
        out_ops.rms_norm(stream, block.norm, self.eps, normed)
        d_project_in = out_ops.weight_gradient(d_xz, normed)
        return Weights(block.norm, d_project_in, d_project_out, tuple(d_scans))


def allocate_buffers(x: Float[Tensor, "batch length channel"], inner: int) -> list[Tensor]:
    """Take memory for the results of the projection in and of the scan of one block with so many inner channels."""
    positions = x.shape[0] * x.shape[1]
    return _memory(x, positions * 2 * inner, positions * inner)


def _memory(like: Tensor, *sizes: int) -> list[Tensor]:
    """Take one piece of memory and return parts of so many floats."""
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + -(-size // LINE) * LINE)
    whole = like.new_empty(starts[-1])
    return [whole[first : first + size] for (first, _), size in zip(pairwise(starts), sizes, strict=True)]


def _place(memory: Tensor, x: Tensor) -> Tensor:
    """Return a tensor like x at the start of some memory."""
    return memory[: x.numel()].view_as(x)
