"""Which parameters each layer keeps out of weight decay."""

from __future__ import annotations

import pytest
from torch import nn

from epigx.layers.batch_norm import BatchNorm
from epigx.layers.embedding import TokenEmbedding
from epigx.layers.hyena import FilterLinear, Sine
from epigx.layers.mamba import Scan


@pytest.mark.parametrize(
    ("layer", "decayed"),
    [
        (FilterLinear(3, 2), set()),
        (Sine(3), set()),
        (TokenEmbedding(3), set()),
        (BatchNorm(3), set()),
        (Scan(8, 4, 4, 1), {"conv_weight", "x_proj", "dt_weight"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_layer_names_the_parameters_that_are_not_decayed(layer: nn.Module, decayed: set[str]) -> None:
    names = {name for name, _ in layer.named_parameters(recurse=False)}
    assert layer.no_weight_decay <= names
    assert names - layer.no_weight_decay == decayed
