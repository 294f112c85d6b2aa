"""The scan in plain PyTorch, for any device: all chunks of the window are processed in parallel.

A window of L positions is divided into about √L chunks of √L positions, so that Python loops over O(√L) steps, each on
an array (batch, chunk, channel, state). A first pass computes the last state of each chunk from a zero start, a short
loop over chunks turns these into start states, and a second pass computes the outputs. The backward pass
recomputes the states and runs the same two passes from the end. Channels are processed a few at a time, so that arrays
of the shape (batch, length, channel, state) do not exceed `BUDGET` bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from epigx.kernels.params import Direction
from epigx.kernels.torch.block import add_rms_norm, compose, linear

__all__ = ["add_rms_norm", "bimamba_inner", "causal_conv1d", "linear", "selective_scan"]

BUDGET = 128 * 2**20


def selective_scan(
    u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, *, reverse: bool = False
) -> Tensor:
    """See :func:`epigx.kernels.selective_scan`."""
    dtype = torch.promote_types(u.dtype, torch.float32)
    steps = [x.to(dtype) for x in (u, delta, B, C)]
    if reverse:
        steps = [x.flip(1) for x in steps]
    y: Tensor = _scan(steps[0], steps[1], A.to(dtype), steps[2], steps[3])
    y = y.flip(1) if reverse else y
    y = y + D.to(dtype) * u.to(dtype)
    return y.to(u.dtype)


def causal_conv1d(x: Tensor, weight: Tensor, bias: Tensor, *, reverse: bool = False) -> Tensor:
    """See :func:`epigx.kernels.causal_conv1d`; a sum of K shifted windows is faster than a grouped convolution."""
    length, taps = x.shape[1], weight.shape[1]
    padded = functional.pad(x, (0, 0, 0, taps - 1) if reverse else (0, 0, taps - 1, 0))
    weight, y = weight.to(x.dtype), bias.to(x.dtype)
    for k, tap in enumerate(weight.unbind(1)):
        y = y + padded.narrow(1, taps - 1 - k if reverse else k, length) * tap
    return y


def bimamba_inner(xz: Tensor, forward: Direction, reverse: Direction | None) -> Tensor:
    """See :func:`epigx.kernels.bimamba_inner`."""
    return compose(xz, forward, reverse, scan=selective_scan, conv=causal_conv1d)


@torch.library.custom_op("epigx::chunked_scan", mutates_args=())
def _scan(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    y = torch.empty_like(u)
    with torch.autocast(u.device.type, enabled=False):
        for part in _channels(u, A):
            y[..., part] = _Chunks(u[..., part], delta[..., part], A[part], B, C).outputs()
    return y


@_scan.register_fake
def _(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> Tensor:
    return torch.empty_like(u)


@torch.library.custom_op("epigx::chunked_scan_backward", mutates_args=())
def _scan_backward(dy: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    u, delta, A, B, C = inputs
    du, d_delta, dA = torch.empty_like(u), torch.empty_like(delta), torch.empty_like(A)
    dB, dC = torch.zeros_like(B), torch.zeros_like(C)
    with torch.autocast(u.device.type, enabled=False):
        for part in _channels(u, A):
            cut = _Chunks(u[..., part], delta[..., part], A[part], B, C)
            du[..., part], d_delta[..., part], dA[part], dB_part, dC_part = cut.gradients(dy[..., part])
            dB += dB_part
            dC += dC_part
    return [du, d_delta, dA, dB, dC]


@_scan_backward.register_fake
def _(dy: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(x) for x in inputs]


def _keep_inputs(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _gradients(ctx: Any, dy: Tensor) -> tuple[Tensor, ...]:
    return tuple(_scan_backward(dy, list(ctx.saved_tensors)))


_scan.register_autograd(_gradients, setup_context=_keep_inputs)


def _channels(u: Tensor, A: Tensor) -> Iterator[slice]:
    """Divide the channels so that the states and decays of one slice fit into the budget."""
    width = max(1, BUDGET // (2 * u.shape[0] * u.shape[1] * A.shape[1] * u.element_size()))
    for start in range(0, u.shape[2], width):
        yield slice(start, start + width)


class _Chunks:
    """Some channels of a scan, as T steps of arrays (batch, chunk, state, channel)."""

    def __init__(self, u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor) -> None:
        self.length = u.shape[1]
        self.T = max(1, math.isqrt(self.length))
        self.A = A.mT.contiguous()
        self.u, self.delta = (self.steps(x) for x in (u, delta))
        self.B, self.C = (tuple(x[..., None] for x in self.steps(x)) for x in (B, C))
        self.decay = [torch.exp(d[:, :, None] * self.A) for d in self.delta]
        self.chunk_decay = torch.exp(sum(self.delta)[:, :, None] * self.A)  # type: ignore[index]
        self.inputs = [(d * x)[:, :, None] for d, x in zip(self.delta, self.u, strict=True)]
        self.start = self.carry(self.local_states())

    def steps(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, L, …) → T tensors (B, chunk, …); padding has delta = 0, which does not change a state."""
        x = functional.pad(x, (0, 0, 0, -x.shape[1] % self.T))
        return x.reshape(x.shape[0], -1, self.T, x.shape[2]).unbind(2)

    def join(self, steps: list[Tensor]) -> Tensor:
        return torch.stack(steps, dim=2).flatten(1, 2)[:, : self.length]

    def local_states(self) -> Tensor:
        state = torch.zeros_like(self.decay[0])
        for a, x, B in zip(self.decay, self.inputs, self.B, strict=True):
            state.mul_(a).addcmul_(x, B)
        return state

    def carry(self, last: Tensor) -> Tensor:
        """Turn the last states of chunks into their start states."""
        start = torch.zeros_like(last)
        for c in range(1, last.shape[1]):
            start[:, c] = start[:, c - 1] * self.chunk_decay[:, c - 1] + last[:, c - 1]
        return start

    def carry_back(self, first: Tensor) -> Tensor:
        """Do the same for gradients, from the last chunk to the first."""
        end = torch.zeros_like(first)
        for c in range(first.shape[1] - 2, -1, -1):
            end[:, c] = end[:, c + 1] * self.chunk_decay[:, c + 1] + first[:, c + 1]
        return end

    def outputs(self) -> Tensor:
        state, y = self.start, []
        for a, x, B, C in zip(self.decay, self.inputs, self.B, self.C, strict=True):
            state.mul_(a).addcmul_(x, B)
            y.append((C.mT @ state).squeeze(2))
        return self.join(y)

    def gradients(self, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        states = [self.start]
        for a, x, B in zip(self.decay, self.inputs, self.B, strict=True):
            states.append((a * states[-1]).addcmul_(x, B))
        dy_steps = tuple(x[:, :, None] for x in self.steps(dy))
        grad = torch.zeros_like(self.start)
        for t in reversed(range(self.T)):
            grad.addcmul_(dy_steps[t], self.C[t]).mul_(self.decay[t])
        return self._collect(states, dy_steps, self.carry_back(grad))

    def _collect(
        self, states: list[Tensor], dy: tuple[Tensor, ...], grad: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        du, d_delta, dB, dC = ([] for _ in range(4))  # type: list[Tensor], list[Tensor], list[Tensor], list[Tensor]
        dA = torch.zeros_like(self.A)
        for t in reversed(range(self.T)):
            grad.addcmul_(dy[t], self.C[t])
            dC.append((states.pop() @ dy[t].mT).squeeze(3))
            dB.append((grad @ self.inputs[t].mT).squeeze(3))
            d_input = (self.B[t].mT @ grad).squeeze(2)
            grad.mul_(self.decay[t])
            d_exponent = grad * states[-1]
            d_delta.append(torch.addcmul((d_exponent * self.A).sum(2), d_input, self.u[t]))
            dA += d_exponent.mul_(self.delta[t][:, :, None]).sum((0, 1))
            du.append(d_input * self.delta[t])
        return self.join(du[::-1]), self.join(d_delta[::-1]), dA.mT, self.join(dB[::-1]), self.join(dC[::-1])
