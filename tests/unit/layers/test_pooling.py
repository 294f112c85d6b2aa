from __future__ import annotations

import torch

from epigx.layers.attention import AttentionPool


def test_it_starts_between_the_mean_and_the_maximum() -> None:
    pool = AttentionPool(1)
    pooled = pool(torch.tensor([[[0.0, 1.0]]]))
    weight = torch.sigmoid(torch.tensor(2.0))
    torch.testing.assert_close(pooled, weight.view(1, 1, 1))


def test_an_odd_last_position_is_kept_as_it_is() -> None:
    torch.manual_seed(0)
    pool = AttentionPool(4)
    x = torch.randn(2, 4, 7, requires_grad=True)
    pooled = pool(x)
    assert pooled.shape == (2, 4, 4)
    torch.testing.assert_close(pooled[..., -1], x[..., -1])
    torch.testing.assert_close(pooled[..., :3], pool(x[..., :6]))
    pooled.sum().backward()
    assert x.grad.isfinite().all()
