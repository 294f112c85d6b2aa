"""Numbers below the smallest normal one are zero inside the kernels, on every thread, and outside them as before."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from epigx.kernels import Direction, add_rms_norm, bimamba_inner, causal_conv1d, selective_scan

pytestmark = pytest.mark.native

SMALLEST = torch.finfo(torch.float32).tiny


@pytest.fixture(params=[1, 3], autouse=True)
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)
    assert torch.tensor(1e-20) * torch.tensor(1e-20) > 0


def fade(channels: int) -> torch.Tensor:
    """Rows from 1 to 1e-44."""
    return torch.logspace(0, -44, 89)[None, :, None].expand(2, -1, channels).contiguous()


def test_gradients_of_a_block(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(2, 89, 32, requires_grad=True)
    (gradient,) = torch.autograd.grad(bimamba_inner(xz, direction(16), direction(16)), xz, fade(16))
    assert not ((gradient != 0) & (gradient.abs() < SMALLEST)).any()
    assert gradient[:, :20].all()


def test_stand_alone_operators() -> None:
    x, rows = fade(16), torch.randn(2, 89, 4)
    scanned = selective_scan(x, torch.full_like(x, 0.1), -torch.ones(16, 4), rows, rows, torch.ones(16))
    convolved = causal_conv1d(x, torch.full((16, 4), 1e-3), torch.zeros(16))
    normed = add_rms_norm(x, torch.zeros_like(x), torch.full((16,), 1e-3), 1e-5)[1]
    for y in (scanned, convolved, normed):
        assert not ((y != 0) & (y.abs() < SMALLEST)).any()
        assert y[:, :20].all()
