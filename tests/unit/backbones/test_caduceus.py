from __future__ import annotations

import pytest
import torch

from epigx.backbones import Caduceus
from epigx.errors import ConfigError
from epigx.models import PredictorModel


def test_shape_and_gradient() -> None:
    stack = Caduceus(d_model=16, n_layers=2).build()
    x = torch.randn(2, 30, 16)
    result = stack(x)
    assert result.shape == x.shape
    result.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in stack.parameters())


def test_blocks_add_to_what_they_read_and_the_sum_is_normalised() -> None:
    torch.manual_seed(0)
    stack = Caduceus(d_model=16, n_layers=2).build()
    x = torch.randn(1, 12, 16)
    one = x + stack.blocks[0].mixer(stack.blocks[0].norm(x))
    two = one + stack.blocks[1].mixer(stack.blocks[1].norm(one))
    torch.testing.assert_close(stack(x), stack.norm(two))


@pytest.mark.parametrize("n_layers", [1, 4])
def test_projections_out_start_smaller_in_deeper_stacks(n_layers: int) -> None:
    stack = Caduceus(n_layers=n_layers).build()
    bound = 256**-0.5 / n_layers**0.5
    for block in stack.blocks:
        assert bound * 0.98 < block.mixer.out_proj.weight.abs().max() <= bound


def test_a_backbone_is_chosen_by_its_kind() -> None:
    model = PredictorModel.parse({"backbone": {"kind": "caduceus", "n_layers": 2}})
    assert model.backbone == Caduceus(n_layers=2)
    with pytest.raises(ConfigError, match=r"unknown backbone 'caduceous'. Did you mean 'caduceus'"):
        PredictorModel.parse({"backbone": {"kind": "caduceous"}})
