"""Parameters of a block for the tests of the kernels."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from epigx.kernels import Direction


@pytest.fixture
def direction() -> Callable[..., Direction]:
    """Draw one direction's parameters."""

    def draw(channels: int, state: int = 16, taps: int = 4, rank: int = 8, *, seed: int = 0) -> Direction:
        source = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=source)

        return Direction(
            conv_weight=normal(channels, taps) * 0.5,
            conv_bias=normal(channels) * 0.1,
            x_proj=normal(rank + 2 * state, channels) / channels**0.5,
            dt_weight=normal(channels, rank) / rank**0.5,
            dt_bias=normal(channels) - 3,
            A_log=normal(channels, state) * 0.5 + 1,
            D=normal(channels),
        )

    return draw
