from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from epigx.dataset.inputs import fit_inputs
from epigx.dataset.loader import eval_loader, train_loader
from epigx.dataset.order import Order, Shard
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import ConfigError


@pytest.fixture(scope="module")
def windows(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    return Windows(dataset, "alpha", np.arange(30), fit_inputs(dataset, ["alpha"], np.arange(30), window=16))


def _genes(loader, steps=None):
    return [batch.gene_id for batch in islice(loader, steps)]


def test_every_epoch_holds_every_window_once(windows):
    batches = _genes(train_loader(windows, batch_size=8, seed=3), 8)
    assert [len(batch) for batch in batches] == [8, 8, 8, 6] * 2
    first, second = ([gene for batch in batches[half] for gene in batch] for half in (slice(4), slice(4, 8)))
    assert sorted(first) == sorted(second) == sorted(windows.gene_id)
    assert first != second


def test_seeds_differ(windows):
    assert _genes(train_loader(windows, batch_size=8, seed=3), 4) != _genes(
        train_loader(windows, batch_size=8, seed=4), 4
    )


@pytest.mark.parametrize("start", [0, 1, 4, 6, 11])
def test_it_can_start_anywhere(windows, start):
    uninterrupted = _genes(train_loader(windows, batch_size=8, seed=3), 15)
    assert _genes(train_loader(windows, batch_size=8, seed=3, start_step=start), 15 - start) == uninterrupted[start:]


def test_iterating_again_starts_again(windows):
    loader = train_loader(windows, batch_size=8, seed=3, start_step=5)
    assert _genes(loader, 3) == _genes(loader, 3)


def test_the_global_generator_is_not_used(windows):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    _genes(train_loader(windows, batch_size=8, seed=3), 5)
    _genes(eval_loader(windows, 7))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("batch_size", [1, 7, 30, 64])
def test_evaluation_is_in_order(windows, batch_size):
    batches = _genes(eval_loader(windows, batch_size))
    assert [gene for batch in batches for gene in batch] == windows.gene_id.tolist()
    assert max(map(len, batches)) == min(batch_size, 30)


@pytest.mark.parametrize("processes", [1, 2, 3, 8])
def test_shards_make_up_the_batch_of_one_process(windows, processes):
    whole = _genes(train_loader(windows, batch_size=8, seed=3), 6)
    shards = [Shard(rank, processes) for rank in range(processes)]
    loaded = [_genes(train_loader(windows, batch_size=8, seed=3, shard=shard), 6) for shard in shards]
    order = Order(30, 8, 3)
    for step, batch in enumerate(whole):
        parts = [genes[step] for genes in loaded]
        assert order.size(step) == len(batch)
        assert len(set(map(len, parts))) <= 2
        if shards[0].splits(len(batch)):
            assert sorted(gene for part in parts for gene in part) == sorted(batch)
        else:
            assert parts == [batch] * processes
        # The average over processes of weighted means is the mean over the batch.
        weights = [shard.weight(len(batch)) for shard in shards]
        assert sum(weights) == pytest.approx(processes)
        if shards[0].splits(len(batch)):
            assert weights == pytest.approx([len(part) * processes / len(batch) for part in parts])


@pytest.mark.parametrize("batch_size", [0, -3])
def test_no_batches_to_evaluate(windows, batch_size):
    with pytest.raises(ConfigError, match=f"batch_size is {batch_size}. It must be at least 1."):
        eval_loader(windows, batch_size)


@pytest.mark.parametrize(("n", "batch_size"), [(0, 8), (5, 0)])
def test_no_batches(n, batch_size):
    with pytest.raises(ConfigError, match=f"batches of {batch_size} from {n} windows. Both must be at least 1."):
        Order(n, batch_size, 0)
