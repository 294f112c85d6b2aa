"""Training batches between two validations."""

from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.inputs import fit_inputs
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.training.batches import Stretches
from epigx.training.config import TrainingConfig


@pytest.fixture(scope="module")
def windows(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    index = np.arange(11)
    return Windows(dataset, "alpha", index, fit_inputs(dataset, ["alpha"], index))


def settings(**changes):
    return TrainingConfig(**{"steps": 10, "warmup_steps": 1, "batch_size": 4, "validate_every": 4 / 3, **changes})


def genes(stretch):
    return [batch.gene_id for batch in stretch]


def test_stretches_end_at_validations_and_at_the_last_step(windows):
    stretches = Stretches(windows, settings())  # 3 steps an epoch, a validation every 4
    assert [len(genes(stretches)) for _ in range(3)] == [4, 4, 2]
    assert [step for step in range(1, 11) if stretches.ends_at(step)] == [4, 8, 10]


@pytest.mark.parametrize("start", range(10))
def test_a_stretch_from_anywhere_goes_on_with_the_same_batches(windows, start):
    whole = Stretches(windows, settings())
    batches = [batch for _ in range(3) for batch in genes(whole)]
    later, found, step = Stretches(windows, settings(), start), [], start
    while step < 10:
        stretch = genes(later)
        step += len(stretch)
        assert later.ends_at(step)
        found += stretch
    assert found == batches[start:]


def test_every_gene_comes_once_an_epoch(windows):
    stretches = Stretches(windows, settings(validate_every=1.0))
    for _ in range(3):
        assert sorted(gene for batch in genes(stretches) for gene in batch) == sorted(windows.gene_id)


def test_validations_are_at_least_a_step_apart(windows):
    assert Stretches(windows, settings(validate_every=0.01)).interval == 1
