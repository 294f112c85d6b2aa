from __future__ import annotations

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from epigx.kernels import cuda
from epigx.kernels.torch import reference


@pytest.fixture
def mamba_ssm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that has the real function's order of axes: (batch, channel, length)."""

    def selective_scan_fn(u: Tensor, delta: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor) -> Tensor:
        assert all(x.is_contiguous() for x in (u, delta, B, C))
        return reference.selective_scan(u.mT, delta.mT, A, B.mT, C.mT, D).mT

    interface = ModuleType("mamba_ssm.ops.selective_scan_interface")
    interface.selective_scan_fn = selective_scan_fn
    for name in ("mamba_ssm", "mamba_ssm.ops"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, interface.__name__, interface)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.usefixtures("mamba_ssm")
def test_axes_reach_the_kernel_in_its_order(reverse: bool) -> None:
    torch.manual_seed(0)
    u, delta = torch.randn(2, 7, 3), torch.rand(2, 7, 3)
    A, B, C, D = -torch.rand(3, 4), torch.randn(2, 7, 4), torch.randn(2, 7, 4), torch.randn(3)
    expected = reference.selective_scan(u, delta, A, B, C, D, reverse=reverse)
    assert torch.equal(cuda.selective_scan(u, delta, A, B, C, D, reverse=reverse), expected)
