from __future__ import annotations

import pytest
import torch

from epigx.models import Head
from epigx.models.head import pool_centre


@pytest.mark.parametrize(
    ("length", "central", "bases"),
    [
        (10, 4, [3, 4, 5, 6]),
        (10, 3, [3, 4, 5]),
        (11, 4, [3, 4, 5, 6]),
        (10, 10, list(range(10))),
        (10, 0, list(range(10))),
        (10, 12, list(range(10))),  # a window shorter than the centre is averaged whole, not from a wrapped start
        (10, 19, list(range(10))),
    ],
)
def test_the_centre(length: int, central: int, bases: list[int]) -> None:
    hidden = torch.arange(float(length)).view(1, length, 1)
    assert pool_centre(hidden, central).item() == pytest.approx(sum(bases) / len(bases))


def test_pooling_is_float32() -> None:
    hidden = torch.rand(2, 2000, 3).bfloat16()
    torch.testing.assert_close(pool_centre(hidden, 0), hidden.float().mean(1))


def test_the_head_is_float32_under_autocast() -> None:
    torch.manual_seed(0)
    head = Head(16, 2)
    pooled, features = torch.randn(4, 16), torch.randn(4, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = head(pooled.bfloat16(), features)
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, head(pooled.bfloat16().float(), features), rtol=0, atol=0)


def test_a_head_without_features() -> None:
    assert Head(16, 0)(torch.randn(4, 16), torch.empty(4, 0)).shape == (4,)


def test_a_head_of_another_width() -> None:
    head = Head(3072, 9, 128)
    assert sum(parameter.numel() for parameter in head.parameters()) == 411_137  # Enformer's
