"""Other implementations of a Mamba block on the CPU. With the weights of one of our blocks, outputs are equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from epigx.layers.mamba import BiMamba, Scan

__all__ = ["COMPETITORS", "Bidirectional", "competitor"]


class Bidirectional(nn.Module):
    """The sum of a block on the window and another on the flipped window, with shared input and output projections.

    This is how libraries' blocks become bidirectional. The shared projections run once per direction.
    """

    def __init__(self, forward: nn.Module, reverse: nn.Module) -> None:
        super().__init__()
        self.forward_block, self.reverse_block = forward, reverse
        self.in_proj = cast(nn.Linear, forward.in_proj)
        reverse.in_proj, reverse.out_proj = forward.in_proj, forward.out_proj

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.forward_block(x) + self.reverse_block(x.flip(1)).flip(1)
        return y


def bidirectional(mixer: Callable[[BiMamba], nn.Module], block: BiMamba) -> Bidirectional:
    """Combine two new blocks into a bidirectional one with the weights of ours."""
    assert block.reverse_scan is not None, "our block is bidirectional"
    forward, reverse = mixer(block), mixer(block)
    _fill(forward, block, block.forward_scan)
    _fill(reverse, block, block.reverse_scan)
    return Bidirectional(forward, reverse)


@torch.no_grad()
def _fill(mixer: nn.Module, block: BiMamba, scan: Scan) -> None:
    """Copy the weights by the names that all implementations of Mamba share."""
    mixer.load_state_dict(
        {
            "in_proj.weight": block.in_proj.weight,
            "conv1d.weight": scan.conv_weight[:, None],
            "conv1d.bias": scan.conv_bias,
            "x_proj.weight": scan.x_proj,
            "dt_proj.weight": scan.dt_weight,
            "dt_proj.bias": scan.dt_bias,
            "A_log": scan.A_log,
            "D": scan.D,
            "out_proj.weight": block.out_proj.weight,
        }
    )


def mambapy_mixer(block: BiMamba) -> nn.Module:
    """Return mambapy's block, whose scan is parallel (log₂ L passes over all states)."""
    from mambapy.mamba import MambaBlock, MambaConfig

    inner, state, width, rank = _sizes(block)
    model = block.in_proj.in_features
    settings = MambaConfig(
        d_model=model, n_layers=1, d_state=state, d_conv=width, dt_rank=rank, expand_factor=inner // model
    )
    mixer: nn.Module = MambaBlock(settings)
    return mixer


def transformers_mixer(block: BiMamba, *, use_mambapy: bool) -> nn.Module:
    """Return transformers' block, with mambapy's scan or with its own loop over steps."""
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaMixer
    from transformers.utils import logging

    logging.set_verbosity_error()  # otherwise each block warns that mamba_ssm is missing
    inner, state, width, rank = _sizes(block)
    model = block.in_proj.in_features
    settings = MambaConfig(
        hidden_size=model,
        state_size=state,
        conv_kernel=width,
        expand=inner // model,
        time_step_rank=rank,
        num_hidden_layers=1,
        use_mambapy=use_mambapy,
    )
    mixer: nn.Module = MambaMixer(settings, layer_idx=0)
    return mixer


def _sizes(block: BiMamba) -> tuple[int, int, int, int]:
    scan = block.forward_scan
    return *scan.A_log.shape, scan.conv_weight.shape[1], scan.dt_weight.shape[1]


def indexed_mixer(block: BiMamba) -> nn.Module:
    """Return the block whose loop indexes each step, as reference code does."""
    return _Loop(block, indexed=True)


def unbound_mixer(block: BiMamba) -> nn.Module:
    """Return the block whose loop unbinds all steps at once."""
    return _Loop(block, indexed=False)


class _Loop(nn.Module):
    """Mamba's block in plain PyTorch with a loop over steps, from the equations of Gu & Dao (2023), one direction.

    ``h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t``, ``y_t = C_t · h_t + D u_t``. Like reference code, it first computes the
    decays and inputs of all steps, of shape (batch, channel, length, state). Selecting steps by index costs O(L²): the
    gradient of ``decay[:, :, t]`` is as large as all steps. ``unbind`` costs O(L).
    """

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


COMPETITORS: dict[str, Callable[[BiMamba], nn.Module]] = {
    "mambapy": mambapy_mixer,
    "transformers + mambapy": lambda block: transformers_mixer(block, use_mambapy=True),
    "loop, unbind": unbound_mixer,
    "transformers": lambda block: transformers_mixer(block, use_mambapy=False),
    "loop, indexed": indexed_mixer,
}
"""By name, a function that makes one direction of a block with new weights and the sizes of ours.

``transformers + mambapy`` is transformers' block with the scan of mambapy (``use_mambapy=True``), ``transformers`` the
one with its own loop. The other two are the recurrence in plain PyTorch: ``loop, indexed`` selects each step by its
index, as reference code does, and ``loop, unbind`` unbinds all steps at once.
"""


def competitor(name: str, block: BiMamba) -> Bidirectional:
    """Return another implementation of a block, with the block's own weights."""
    return bidirectional(COMPETITORS[name], block)
