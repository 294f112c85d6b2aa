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
