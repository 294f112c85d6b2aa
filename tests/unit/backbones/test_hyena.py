from __future__ import annotations

import pytest
import torch

from epigx.backbones import HyenaDNA
from epigx.errors import ConfigError
from epigx.models import PredictorModel
from epigx.training.optim import parameter_groups

TOO_LONG = r"filters span 100 positions, but the window has 101\. Set model\.backbone\.longest to 101"


def test_the_published_size() -> None:
    network = PredictorModel(backbone=HyenaDNA(), signals=False).build(0, 9, 200_000)
    assert sum(parameter.numel() for parameter in network.parameters()) == 903_681


def test_windows_up_to_the_filters_length() -> None:
    backbone = HyenaDNA(d_model=8, n_layers=1, longest=100)
    stack = backbone.build().eval()
    assert stack(torch.randn(1, 100, 8)).shape == (1, 100, 8)
    assert stack(torch.randn(1, 7, 8)).shape == (1, 7, 8)
    with pytest.raises(ConfigError, match=TOO_LONG):
        stack(torch.randn(1, 101, 8))


def test_a_window_too_long_is_refused_before_training() -> None:
    with pytest.raises(ConfigError, match=TOO_LONG):
        PredictorModel(backbone=HyenaDNA(longest=100), signals=False).build(0, 9, 101)


def test_the_embedding_is_dropped_in_training_alone() -> None:
    torch.manual_seed(0)
    stack = HyenaDNA(d_model=16, n_layers=1, dropout=0.5).build()
    x = torch.randn(1, 20, 16)
    assert not torch.equal(stack.train()(x), stack(x))
    assert torch.equal(stack.eval()(x), stack(x))


def test_linear_layers_start_small_and_those_that_end_a_branch_smaller() -> None:
    torch.manual_seed(0)
    stack = HyenaDNA(n_layers=2).build()
    for block in stack.blocks:
        for layer, deviation in [
            (block.mixer.in_proj, 0.02),
            (block.mixer.out_proj, 0.01),
            (block.perceptron[0], 0.02),
            (block.perceptron[2], 0.01),
        ]:
            assert layer.weight.std().item() == pytest.approx(deviation, rel=0.05)
            assert layer.bias.eq(0).all()


def test_the_sum_of_the_blocks_is_float32_under_autocast() -> None:
    stack = HyenaDNA(d_model=16, n_layers=1).build()
    seen = []
    stack.norm.register_forward_pre_hook(lambda _, args: seen.append(args[0].dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        stack(torch.randn(1, 20, 16).bfloat16())
    assert seen == [torch.float32]


def test_filters_are_not_decayed() -> None:
    stack = HyenaDNA(d_model=16, n_layers=1).build()
    decayed = {id(parameter) for parameter in parameter_groups(stack, weight_decay=0.1)[0]["params"]}
    names = {name for name, parameter in stack.named_parameters() if id(parameter) in decayed}
    assert names == {
        "blocks.0.mixer.conv_weight",
        "blocks.0.mixer.in_proj.weight",
        "blocks.0.mixer.out_proj.weight",
        "blocks.0.perceptron.0.weight",
        "blocks.0.perceptron.2.weight",
    }
