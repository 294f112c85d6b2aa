"""The blocks of mambapy and of transformers, as these packages publish them."""

from __future__ import annotations

from torch import nn

from epigx.layers.mamba import BiMamba

__all__ = ["mambapy_mixer", "transformers_mixer"]


def mambapy_mixer(block: BiMamba) -> nn.Module:
    """Return mambapy's block, whose scan is parallel (log₂ L sweeps over a whole array of states)."""
    from mambapy.mamba import MambaBlock, MambaConfig

    inner, state, width, rank = _sizes(block)
    model = block.in_proj.in_features
    settings = MambaConfig(
        d_model=model, n_layers=1, d_state=state, d_conv=width, dt_rank=rank, expand_factor=inner // model
    )
    mixer: nn.Module = MambaBlock(settings)
    return mixer


def transformers_mixer(block: BiMamba, *, use_mambapy: bool) -> nn.Module:
    """Return transformers' block: with mambapy's scan, or with its own loop over steps."""
    from transformers import MambaConfig
    from transformers.models.mamba.modeling_mamba import MambaMixer
    from transformers.utils import logging

    logging.set_verbosity_error()  # it would say at each block that mamba_ssm is not installed, as is known
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
