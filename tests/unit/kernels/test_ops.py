from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from epigx.kernels import Direction, bimamba_inner, kernel, ops, selective_scan


def test_the_scan_by_hand() -> None:
    u = torch.tensor([[[1.0], [2.0]]])
    delta = torch.tensor([[[0.5], [1.0]]])
    A, D = torch.tensor([[-1.0]]), torch.tensor([10.0])
    B, C = torch.tensor([[[3.0], [4.0]]]), torch.tensor([[[5.0], [6.0]]])
    first = 0.5 * 3 * 1
    last = torch.exp(torch.tensor(-1.0)).item() * first + 1 * 4 * 2
    found = selective_scan(u, delta, A, B, C, D)
    torch.testing.assert_close(found.flatten(), torch.tensor([5 * first + 10, 6 * last + 20]))
    start = 1 * 4 * 2
    end = torch.exp(torch.tensor(-0.5)).item() * start + 0.5 * 3 * 1
    found = selective_scan(u, delta, A, B, C, D, reverse=True)
    torch.testing.assert_close(found.flatten(), torch.tensor([5 * end + 10, 6 * start + 20]))


@pytest.mark.parametrize("name", ["torch", "reference"])
def test_the_asked_kernel_runs(monkeypatch: pytest.MonkeyPatch, direction: Callable[..., Direction], name: str) -> None:
    answer = torch.full((1, 1, 4), 7.0)
    monkeypatch.setattr(ops._IMPLEMENTATIONS[name], "bimamba_inner", lambda *_: answer)
    with kernel(name):
        assert torch.equal(bimamba_inner(torch.zeros(1, 1, 8), direction(4), None), answer)


def test_float64_stays_float64_whatever_the_kernel(direction: Callable[..., Direction]) -> None:
    xz = torch.randn(1, 9, 8, dtype=torch.float64)
    directions = [Direction(*(p.double() for p in direction(4, seed=seed))) for seed in (0, 1)]
    found = bimamba_inner(xz, *directions)
    with kernel("reference"):
        torch.testing.assert_close(found, bimamba_inner(xz, *directions), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_the_output_has_the_precision_of_the_input(direction: Callable[..., Direction], dtype: torch.dtype) -> None:
    assert bimamba_inner(torch.randn(1, 9, 8).to(dtype), direction(4), None).dtype == dtype
