"""Batches: what a model may ask for travels with the rest."""

from __future__ import annotations

import torch

from epigx.batch import Batch, Elements
from epigx.models import PredictorModel


def _batch(**fields) -> Batch:
    return Batch(sequence=torch.zeros(2, 8, 4), signals=torch.zeros(2, 8, 3), features=torch.zeros(2, 5), **fields)


def test_what_nobody_asked_for_is_absent():
    moved = _batch().to("meta")
    assert moved.peaks is None
    assert moved.blacklist is None
    assert moved.elements is None


def test_every_tensor_moves():
    mask = torch.zeros(2, 8, dtype=torch.bool)
    elements = Elements(sequence=torch.zeros(2, 3, 6, 4), features=torch.zeros(2, 3, 3))
    moved = _batch(expression=torch.zeros(2), peaks=mask, blacklist=mask, elements=elements).to("meta")
    tensors = [moved.sequence, moved.signals, moved.features, moved.expression, moved.peaks, moved.blacklist]
    tensors += [moved.elements.sequence, moved.elements.features]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_a_model_asks_for_nothing_more_unless_it_says_so():
    assert PredictorModel().needs == frozenset()
