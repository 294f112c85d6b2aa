from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu, softplus

from epigx.layers.mamba import BiMamba, Scan


def read(scan: Scan, x: Tensor) -> Tensor:
    """One direction of one window, written out base by base, in float64."""
    length, channels = x.shape
    width, states = scan.conv_weight.shape[1], scan.A_log.shape[1]
    padded = torch.cat([x.new_zeros(width - 1, channels), x])
    u = torch.stack([(padded[t : t + width] * scan.conv_weight.T).sum(0) + scan.conv_bias for t in range(length)])
    u = silu(u)
    step, B, C = (u @ scan.x_proj.T).split([scan.dt_weight.shape[1], states, states], dim=1)
    step = softplus(step @ scan.dt_weight.T + scan.dt_bias)
    A = -scan.A_log.exp()
    state, y = x.new_zeros(channels, states), []
    for t in range(length):
        state = (step[t, :, None] * A).exp() * state + (step[t] * u[t])[:, None] * B[t]
        y.append(state @ C[t] + scan.D * u[t])
    return torch.stack(y)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_against_the_recurrence_written_out(bidirectional: bool) -> None:
    torch.manual_seed(0)
    layer = BiMamba(d_model=6, d_state=3, bidirectional=bidirectional).double()
    x = torch.randn(2, 11, 6, dtype=torch.float64)
    result = layer(x)
    for window, actual in zip(x, result, strict=True):
        inner, gate = layer.in_proj(window).chunk(2, dim=-1)
        mixed = read(layer.forward_scan, inner)
        if layer.reverse_scan is not None:
            mixed = mixed + read(layer.reverse_scan, inner.flip(0)).flip(0)
        torch.testing.assert_close(actual, layer.out_proj(mixed * silu(gate)), atol=1e-6, rtol=1e-6)


def test_one_direction_never_looks_ahead() -> None:
    torch.manual_seed(0)
    layer = BiMamba(d_model=8, bidirectional=False)
    x = torch.randn(1, 20, 8)
    changed = x.clone()
    changed[:, 12:] += 1
    torch.testing.assert_close(layer(changed)[:, :12], layer(x)[:, :12])
    assert not torch.allclose(layer(changed)[:, 12:], layer(x)[:, 12:])


def test_initial_values() -> None:
    torch.manual_seed(0)
    scan = Scan(d_inner=256, d_state=16, d_conv=4, dt_rank=8)
    torch.testing.assert_close(scan.A_log.exp()[7], torch.arange(1.0, 17.0))
    assert torch.equal(scan.D, torch.ones(256))
    step = softplus(scan.dt_bias)
    assert step.min() >= 1e-3 * (1 - 1e-4)
    assert step.max() <= 1e-1 * (1 + 1e-4)
    assert abs(step.log().mean() - math.log(1e-2)) < 0.2  # log-uniform
    for parameter, bound in (
        (scan.dt_weight, 8**-0.5),
        (scan.conv_weight, 0.5),
        (scan.conv_bias, 0.5),
        (scan.x_proj, 1 / 16),
    ):
        assert 0.95 * bound < parameter.abs().max() <= bound
        assert parameter.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)  # uniform


def test_step_sizes_start_between_a_thousandth_and_a_tenth() -> None:
    torch.manual_seed(0)
    step = softplus(Scan(d_inner=20_000, d_state=1, d_conv=1, dt_rank=1).dt_bias)
    assert [step.min().item(), step.max().item()] == pytest.approx([1e-3, 1e-1], rel=2e-3)


def test_sizes() -> None:
    layer = BiMamba()
    assert layer.in_proj.weight.shape == (512, 128)
    assert layer.out_proj.weight.shape == (128, 256)
    assert layer.forward_scan.x_proj.shape == (40, 256)
    assert "d_inner=256, d_state=16, d_conv=4, dt_rank=8" in repr(layer)
    assert layer(torch.randn(2, 5, 128)).shape == (2, 5, 128)
