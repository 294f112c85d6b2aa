from __future__ import annotations

import torch

from epigx.layers.norm import RMSNorm


def test_formula() -> None:
    norm = RMSNorm(2, eps=1e-5)
    norm.weight.data = torch.tensor([1.0, 10.0])
    x = torch.tensor([[3.0, 4.0]])
    expected = x / (12.5 + 1e-5) ** 0.5 * torch.tensor([1.0, 10.0])
    torch.testing.assert_close(norm(x), expected)


def test_zero_stays_zero() -> None:
    assert torch.equal(RMSNorm(4)(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


def test_bfloat16_is_normalised_in_float32() -> None:
    x = torch.randn(5, 128)
    norm = RMSNorm(128)
    result = norm(x.bfloat16())
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result, norm(x.bfloat16().float()).bfloat16(), rtol=0, atol=0)


def test_adding_to_the_stream_and_normalising_it() -> None:
    x, residual, norm = torch.randn(2, 3, 8), torch.randn(2, 3, 8), RMSNorm(8)
    total, normed = norm.add(x, residual)
    torch.testing.assert_close(total, residual + x)
    torch.testing.assert_close(normed, norm(residual + x))


def test_the_stream_is_float32_beside_bfloat16_layers() -> None:
    norm = RMSNorm(8)
    total, normed = norm.add(torch.full((1, 8), 2.0**-10).bfloat16(), torch.ones(1, 8).bfloat16())
    assert torch.equal(total, torch.full((1, 8), 1 + 2.0**-10))  # bfloat16 would round it to 1
    assert normed.dtype == torch.bfloat16
