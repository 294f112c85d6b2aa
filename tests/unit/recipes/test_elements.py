from __future__ import annotations

import pytest
import torch

from epigx.batch import Batch, Elements
from epigx.models import EPInformerModel
from epigx.recipes import SIZES, epinformer
from epigx.training.optim import learning_rate


def test_the_papers_size_and_training():
    config = epinformer(data="data", cell_type="A")
    assert config.method.model == EPInformerModel()
    assert sum(p.numel() for p in config.method.model.build(0, 9, 2_000).parameters()) == 447_341
    training = config.method.training
    assert (training.batch_size, training.weight_decay, training.clip) == (16, 1e-6, 1.0)
    assert {learning_rate(step, training) for step in (0, 1, 5_000, 19_999)} == {5e-4}
    assert config.data.signals == ()


def test_it_is_trained_like_the_others_at_the_small_scale():
    config = epinformer(data="data", cell_type="A", seed=7, scale="small")
    assert config.method.training == SIZES["small"].training.model_copy(update={"seed": 7})
    assert config.data.window == 256


@pytest.mark.parametrize("window", [640, None])
def test_a_window_that_is_asked_for_is_read(window):
    assert epinformer(data="data", cell_type="A", window=window).data.window == window


def test_the_small_system_takes_a_step():
    config = epinformer(data="data", cell_type="A", scale="small")
    network, objective = config.method.model.build(0, 9, 512), config.method.objective.build(config.method.model, 0)
    assert sum(parameter.numel() for parameter in network.parameters()) < 150_000
    elements = Elements(sequence=torch.rand(2, 3, 2_000, 4), features=torch.rand(2, 3, 3))
    batch = Batch(torch.zeros(2, 512, 4), torch.zeros(2, 512, 0), torch.rand(2, 9), torch.rand(2), elements=elements)
    loss = objective(network, batch)[1].total
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad is not None for parameter in network.parameters())
