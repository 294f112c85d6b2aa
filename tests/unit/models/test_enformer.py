from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from epigx.batch import Batch
from epigx.errors import ConfigError
from epigx.models.enformer import Enformer, EnformerModel

TINY = EnformerModel(
    d_model=24, n_layers=1, n_heads=2, d_key=4, n_poolings=3, multiple=4, central_bins=6, longest=80, d_head=8
)


def batch_of(length: int, genes: int = 2) -> Batch:
    torch.manual_seed(1)
    bases = torch.nn.functional.one_hot(torch.randint(0, 5, (genes, length)), 5)[..., :4].float()
    return Batch(bases, torch.rand(genes, length, 3), torch.randn(genes, 9), torch.rand(genes))


def tiny() -> Enformer:
    torch.manual_seed(0)
    return TINY.build(3, 9, 80).eval()


def test_the_published_size() -> None:
    with torch.device("meta"):  # shapes alone; the weights would take a gigabyte
        network = EnformerModel().build(0, 9, 200_000)
    parts = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    assert parts == {"trunk": 229_845_504, "head": 411_137}
    unused_heads = (3_072 + 1) * (5_313 + 1_643)
    assert sum(parts.values()) == 230_256_641
    assert sum(parts.values()) + unused_heads == 251_632_429
    assert EnformerModel().bin_size == 128


@pytest.mark.parametrize("length", [16, 17, 40, 80])
def test_any_window(length: int) -> None:
    network = TINY.build(0, 9, length).train()
    prediction = network(batch_of(length))
    assert prediction.expression.shape == (2,)
    prediction.expression.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


def test_a_longer_window_is_read_in_its_centre() -> None:
    batch = batch_of(120)
    other = replace(batch, sequence=batch.sequence.clone())
    other.sequence[:, :20] = other.sequence[:, 100:] = 0
    with torch.no_grad():
        assert torch.equal(tiny()(batch).expression, tiny()(other).expression)


def test_the_central_bins_are_averaged_after_all_of_them_spoke() -> None:
    network = tiny()
    hidden = []
    network.trunk.pointwise.register_forward_pre_hook(lambda _, args: hidden.append(args[0]))
    blocks = []
    network.trunk.transformer[-1].register_forward_hook(lambda _, __, output: blocks.append(output))
    network(batch_of(80))
    assert blocks[0].shape == (2, 10, 24)
    assert torch.equal(hidden[0], blocks[0][:, 2:8].transpose(1, 2))


def test_signals_are_not_read() -> None:
    batch = batch_of(80)
    with torch.no_grad():
        same = torch.equal(tiny()(batch).expression, tiny()(replace(batch, signals=batch.signals + 1)).expression)
    assert same
    assert TINY.n_encoded == 0


def test_a_window_without_two_bins_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least two bins of 8 bp.*have 15 bp\. Use a longer window"):
        TINY.build(0, 9, 15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"d_model": 40, "n_heads": 4, "multiple": 4}, r"d_model \(40\) has to be a multiple of 6 n_heads \(24\)"),
        ({"d_model": 48, "n_heads": 4, "multiple": 32}, r"d_model \(48\) has to be a multiple of 32 \(multiple\)"),
    ],
)
def test_widths_that_do_not_fit(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EnformerModel.parse(settings)
