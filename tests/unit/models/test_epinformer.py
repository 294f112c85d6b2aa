from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from epigx.batch import Batch, Elements
from epigx.errors import ConfigError
from epigx.models import EPInformerModel

SMALL = EPInformerModel(length=200, stem=8, stages=(8, 8), d_model=8, n_layers=2, n_heads=2)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SMALL.build(0, 4, 200).eval()


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(0, 4, (3, 5, 200), generator=generator)
    codes[0, 3:] = codes[1, 4:] = 4  # two empty slots, and one
    features = torch.rand(3, 5, 3, generator=generator)
    features[:, 0] = features[0, 3:] = features[1, 4:] = 0
    elements = Elements(sequence=functional.one_hot(codes, 5)[..., :4].float(), features=features)
    return Batch(
        sequence=torch.zeros(3, 200, 4),
        signals=torch.zeros(3, 200, 0),
        features=torch.rand(3, 4, generator=generator),
        elements=elements,
    )


def _with(batch, pick):
    """Return the batch with its elements changed."""
    elements = batch.elements
    return replace(batch, elements=Elements(sequence=pick(elements.sequence), features=pick(elements.features)))


def _expression(model, batch):
    with torch.no_grad():
        return model(batch).expression


def test_the_order_of_enhancers_does_not_matter(model, batch):
    turned = _with(batch, lambda x: torch.cat([x[:, :1], x[:, 1:].flip(1)], dim=1))
    torch.testing.assert_close(_expression(model, turned), _expression(model, batch))


def test_empty_slots_do_not_matter(model, batch):
    more = _with(batch, lambda x: torch.cat([x, torch.zeros_like(x[:, :2])], dim=1))
    torch.testing.assert_close(_expression(model, more), _expression(model, batch))


def test_enhancers_and_their_features_matter(model, batch):
    before = _expression(model, batch)
    other = replace(batch, elements=replace(batch.elements, features=batch.elements.features + 1))
    assert not torch.isclose(_expression(model, other), before).any()
    promoter_alone = _with(batch, lambda x: x[:, :1])
    assert not torch.isclose(_expression(model, promoter_alone), before).any()


def test_a_promoter_of_unknown_bases_still_predicts(model, batch):
    unknown = _with(batch, torch.zeros_like)
    assert _expression(model, unknown).isfinite().all()


def test_an_enhancer_of_unknown_bases_is_still_there(model, batch):
    sequence = batch.elements.sequence.clone()
    sequence[:, 1] = 0
    unknown = replace(batch, elements=replace(batch.elements, sequence=sequence))
    features = batch.elements.features.clone()
    features[:, 1] = 0
    absent = replace(batch, elements=Elements(sequence=sequence, features=features))
    assert not torch.isclose(_expression(model, unknown), _expression(model, absent)).any()


def test_neither_window_nor_signals_are_read(model, batch):
    other = replace(batch, sequence=torch.rand(3, 64, 4), signals=torch.rand(3, 64, 3))
    assert torch.equal(_expression(model, other), _expression(model, batch))


def test_it_asks_for_elements(model, batch):
    assert SMALL.needs == {"elements"}
    assert SMALL.n_encoded == 0
    with pytest.raises(ConfigError, match=r"EPInformer reads elements, but the batch has none"):
        model(replace(batch, elements=None))


def test_another_length(model, batch):
    with pytest.raises(ConfigError, match=r"are 150 bp long, but the model was built for 200. Set model.length"):
        model(replace(batch, elements=replace(batch.elements, sequence=batch.elements.sequence[:, :, :150])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 98}, r"Elements of 98 bp \(model.length\) are too short for 2 stages, which need 100 bp"),
        ({"n_heads": 3}, r"model.d_model \(8\) has to be a multiple of model.n_heads \(3\)"),
    ],
)
def test_sizes_that_cannot_work(changes, message):
    with pytest.raises(ConfigError, match=message):
        SMALL.model_copy(update=changes).build(0, 4, 200)


def test_the_shortest_elements_that_work(batch):
    short = _with(batch, lambda x: x[:, :, 50:150] if x.ndim == 4 else x)
    assert _expression(SMALL.model_copy(update={"length": 100}).build(0, 4, 200).eval(), short).shape == (3,)


def test_it_learns(model, batch):
    model.train()
    target = torch.tensor([0.0, 1.0, 2.0])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(40):
        loss = functional.mse_loss(model(batch).expression, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 10
