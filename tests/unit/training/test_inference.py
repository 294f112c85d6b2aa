"""Predictions of many windows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.training.inference import evaluation_batch, predict_windows


def test_predictions_do_not_depend_on_the_batch_size(tiny_run, tiny_dataset):
    windows = Windows(open_dataset(tiny_dataset), "alpha", np.arange(60), tiny_run.inputs)
    one, seven, all_at_once = (predict_windows(tiny_run.model(), windows, batch_size=size) for size in (1, 7, 60))
    np.testing.assert_allclose(one, seven, atol=1e-6)
    np.testing.assert_allclose(one, all_at_once, atol=1e-6)


@pytest.mark.parametrize(
    ("window", "at_once"), [(500, 32), (2_000, 32), (10_000, 32), (20_000, 16), (200_000, 1), (1_000_000, 1)]
)
def test_fewer_long_windows_are_in_flight(window, at_once):
    windows = SimpleNamespace(bases=window)
    assert evaluation_batch(windows) == at_once


def test_predictions_are_float32_under_autocast(tiny_run, tiny_dataset):
    windows = Windows(open_dataset(tiny_dataset), "alpha", np.arange(60), tiny_run.inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = predict_windows(tiny_run.model(), windows)
    np.testing.assert_array_equal(inside, predict_windows(tiny_run.model(), windows))


def test_memory_is_spared_for_long_windows(tiny_run, tiny_dataset, monkeypatch):
    windows, spared = Windows(open_dataset(tiny_dataset), "alpha", np.arange(2), tiny_run.inputs), []
    monkeypatch.setattr("epigx.training.inference.spare_memory", lambda *given: spared.append(given[1:]))
    device = torch.device("cpu")
    predict_windows(tiny_run.model(), windows, device=device)
    assert not spared
    monkeypatch.setattr("epigx.training.inference.LONG_WINDOW", tiny_run.inputs.window - 1)
    predict_windows(tiny_run.model(), windows, device=device)
    assert spared == [(device, torch.float32)]


def test_no_windows_no_predictions(tiny_run, tiny_dataset):
    windows = Windows(open_dataset(tiny_dataset), "alpha", np.arange(0), tiny_run.inputs)
    assert predict_windows(tiny_run.model(), windows).shape == (0,)
