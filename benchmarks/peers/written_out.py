"""Mamba's block in plain PyTorch with a loop over steps, written from the equations of Gu & Dao (2023).

``h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t``, ``y_t = C_t · h_t + D u_t``. Reference code computes the decays and the
inputs of all steps first, of shape (batch, channel, length, state), and the loop then picks step after step. How it
picks them decides its cost: the gradient of ``decay[:, :, t]`` is an array as large as all steps, so that L steps cost
O(L²); ``unbind`` takes all steps apart at once, at O(L).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from epigx.layers.mamba import BiMamba

__all__ = ["indexed_mixer", "unbound_mixer"]


def indexed_mixer(block: BiMamba) -> nn.Module:
    """Return the block whose loop indexes each step, as reference code does."""
    return _WrittenOut(block, indexed=True)


def unbound_mixer(block: BiMamba) -> nn.Module:
    """Return the block whose loop runs over steps taken apart at once."""
    return _WrittenOut(block, indexed=False)


class _WrittenOut(nn.Module):
    """One direction, with fresh weights."""

    def __init__(self, block: BiMamba, *, indexed: bool) -> None:
        super().__init__()
        scan, inner = block.forward_scan, block.out_proj.in_features
        self.width, self.rank, self.indexed = scan.conv_weight.shape[1], scan.dt_weight.shape[1], indexed
        self.in_proj = nn.Linear(block.in_proj.in_features, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, self.width, padding=self.width - 1, groups=inner)
        self.x_proj = nn.Linear(inner, scan.x_proj.shape[0], bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.A_log = nn.Parameter(torch.empty_like(scan.A_log))
        self.D = nn.Parameter(torch.empty_like(scan.D))
        self.out_proj = nn.Linear(inner, block.out_proj.out_features, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x, z = self.in_proj(x).chunk(2, dim=-1)
        u = functional.silu(self.conv1d(x.mT)[..., : x.shape[1]].mT)
        step, B, C = self.x_proj(u).tensor_split([self.rank, self.rank + self.A_log.shape[1]], dim=-1)
        delta = functional.softplus(self.dt_proj(step))
        y: Tensor = self.out_proj((self._scan(u, delta, B, C) + self.D * u) * functional.silu(z))
        return y

    def _scan(self, u: Tensor, delta: Tensor, B: Tensor, C: Tensor) -> Tensor:
        decay = torch.exp(torch.einsum("bld,dn->bdln", delta, -torch.exp(self.A_log)))
        gain = torch.einsum("bld,bln,bld->bdln", delta, B, u)
        h = decay.new_zeros(decay.shape[0], decay.shape[1], decay.shape[3])
        outputs = []
        for decay_t, gain_t, C_t in self._steps(decay, gain, C):
            h = decay_t * h + gain_t
            outputs.append(torch.einsum("bdn,bn->bd", h, C_t))
        return torch.stack(outputs, dim=1)

    def _steps(self, decay: Tensor, gain: Tensor, C: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        if self.indexed:
            return ((decay[:, :, t], gain[:, :, t], C[:, t]) for t in range(C.shape[1]))
        return zip(decay.unbind(2), gain.unbind(2), C.unbind(1), strict=True)
