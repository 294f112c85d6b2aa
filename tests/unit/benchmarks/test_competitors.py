from __future__ import annotations

import pytest
import torch
from benchmarks import block, competitors, step
from benchmarks.competitors import COMPETITORS
from torch import Tensor, nn

from epigx.layers.mamba import BiMamba


@pytest.mark.parametrize(
    "name", [name if name.startswith("loop") else pytest.param(name, marks=pytest.mark.oracle) for name in COMPETITORS]
)
def test_a_competitor_computes_our_block(name: str) -> None:
    assert block.agree(name, batch=2, length=37) < 1e-5


def test_a_training_step_with_a_competitor_is_ours() -> None:
    assert step.agree("loop, unbind") < 1e-5


class _WithoutSkip(competitors._Loop):
    def forward(self, x: Tensor) -> Tensor:
        self.D.data.zero_()
        return super().forward(x)


def _without_skip(ours: BiMamba) -> nn.Module:
    return _WithoutSkip(ours, indexed=False)


def test_a_competitor_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMPETITORS, "loop, unbind", _without_skip)
    with pytest.raises(ValueError, match=r"'loop, unbind' differs from our block by \d"):
        block.agree("loop, unbind")
    with pytest.raises(ValueError, match=r"training step with 'loop, unbind' gives other losses than ours"):
        step.agree("loop, unbind")


def test_competitors_replace_every_block() -> None:
    model = step.recipe().method.model.build(3, 9, 64)
    parameters = sum(p.numel() for p in model.parameters())
    step.replace_blocks("loop, unbind", model)
    assert not any(isinstance(module, BiMamba) for module in model.modules())
    assert sum(p.numel() for p in model.parameters()) == parameters


def test_other_names_replace_nothing() -> None:
    torch.manual_seed(0)
    model = step.recipe().method.model.build(3, 9, 64)
    step.replace_blocks("epigx", model)
    assert sum(isinstance(module, BiMamba) for module in model.modules()) == 4
