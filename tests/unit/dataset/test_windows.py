from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from epigx.dataset.inputs import fit_inputs
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError
from epigx.genome.sequence import one_hot

ROWS = np.array([5, 40, 0, 59, 7], np.int64)


@pytest.fixture(scope="module")
def dataset(tiny_dataset):
    return open_dataset(tiny_dataset)


@pytest.fixture(scope="module")
def inputs(dataset):
    return fit_inputs(dataset, ["alpha"], np.arange(36))


def test_a_batch_holds_what_the_dataset_holds(dataset, inputs):
    batch = Windows(dataset, "alpha", ROWS, inputs).__getitems__([3, 0])
    rows = ROWS[[3, 0]]
    assert batch.gene_id == ("G059", "G005")
    np.testing.assert_array_equal(batch.sequence, one_hot(np.array(dataset.sequence[rows])))
    raw = dataset.signal_values("alpha")[rows].astype(np.float32)
    np.testing.assert_allclose(batch.signals[..., 0], np.log1p(raw[..., 0]), rtol=1e-6)
    np.testing.assert_array_equal(batch.signals[..., 1:], raw[..., 1:])
    np.testing.assert_array_equal(batch.expression, dataset.expression("alpha")[rows])
    scaled = [f.apply(v) for f, v in zip(inputs.features, dataset.feature_values("alpha")[rows].T, strict=True)]
    np.testing.assert_array_equal(batch.features, np.stack(scaled, 1))
    assert {tensor.dtype for tensor in (batch.sequence, batch.signals, batch.features)} == {torch.float32}


def test_the_centre_is_cut_out(dataset, inputs):
    whole = Windows(dataset, "alpha", ROWS, inputs).__getitems__([1, 2])
    short = Windows(dataset, "alpha", ROWS, inputs.model_copy(update={"window": 30})).__getitems__([1, 2])
    torch.testing.assert_close(short.sequence, whole.sequence[:, 49:79], rtol=0, atol=0)
    torch.testing.assert_close(short.signals, whole.signals[:, 49:79], rtol=0, atol=0)
    torch.testing.assert_close(short.features, whole.features, rtol=0, atol=0)


def test_signals_come_in_the_order_of_the_run(dataset):
    inputs = fit_inputs(dataset, ["alpha"], np.arange(36), signals=["hic", "h3k27ac"])
    all_inputs = fit_inputs(dataset, ["alpha"], np.arange(36))
    some = Windows(dataset, "alpha", ROWS, inputs)[0].signals
    every = Windows(dataset, "alpha", ROWS, all_inputs)[0].signals
    torch.testing.assert_close(some, every[..., [2, 0]], rtol=0, atol=0)


def test_dropped_signals_are_zero_and_others_stay(dataset, inputs):
    plain = Windows(dataset, "alpha", ROWS, inputs)[0].signals
    dropped = Windows(dataset, "alpha", ROWS, inputs).dropping(["dnase"])[0].signals
    assert not dropped[..., 1].any()
    torch.testing.assert_close(dropped[..., [0, 2]], plain[..., [0, 2]], rtol=0, atol=0)


def test_without_dna(dataset, inputs):
    batch = Windows(dataset, "alpha", ROWS, inputs.model_copy(update={"dna": False}))[0]
    assert batch.sequence.shape == (1, 128, 4)
    assert not batch.sequence.any()


def test_without_signals_or_features(dataset):
    inputs = fit_inputs(dataset, ["alpha"], np.arange(36), signals=[], features=[])
    batch = Windows(dataset, "alpha", ROWS, inputs).__getitems__([0, 1])
    assert batch.signals.shape == (2, 128, 0)
    assert batch.features.shape == (2, 0)


def test_several_cell_types(dataset, inputs):
    windows = Windows(dataset, ("alpha", "beta"), ROWS, inputs)
    assert len(windows) == 10
    assert windows.cell_type.tolist() == ["alpha"] * 5 + ["beta"] * 5
    assert windows.gene_id.tolist() == [f"G{row:03d}" for row in ROWS] * 2
    mixed = windows.__getitems__([6, 1, 9])
    for place, (cell_type, index) in enumerate((("beta", 1), ("alpha", 1), ("beta", 4))):
        alone = Windows(dataset, cell_type, ROWS, inputs).__getitems__([index])
        torch.testing.assert_close(mixed.signals[place], alone.signals[0], rtol=0, atol=0)
        torch.testing.assert_close(mixed.features[place], alone.features[0], rtol=0, atol=0)
        assert mixed.gene_id[place] == alone.gene_id[0]


def test_windows_with_a_label(dataset, inputs):
    windows = Windows(dataset, ("alpha", "beta"), np.arange(60), inputs)
    labelled = windows.labelled()
    assert len(windows) == 120
    assert len(labelled) == np.isfinite(windows.expression).sum() < 120
    assert np.isfinite(labelled.expression).all()
    kept = np.flatnonzero(np.isfinite(windows.expression))
    assert labelled.gene_id.tolist() == windows.gene_id[kept].tolist()
    one, other = labelled.__getitems__([70, 3]), windows.__getitems__(kept[[70, 3]])
    torch.testing.assert_close(one.signals, other.signals, rtol=0, atol=0)
    assert one.gene_id == other.gene_id


def test_a_part_is_chosen_by_index(dataset, inputs):
    windows = Windows(dataset, "alpha", ROWS, inputs)
    assert windows.gene_id.tolist() == ["G005", "G040", "G000", "G059", "G007"]
    assert windows.only(np.array([4, 0])).gene_id.tolist() == ["G007", "G005"]
    assert len(windows) == 5


def test_without_labels_there_is_no_expression(dataset, inputs):
    windows = Windows(dataset, "bare", ROWS, inputs)
    assert windows[0].expression is None
    assert np.isnan(windows.expression).all()
    assert len(windows.labelled()) == 0
    some = Windows(dataset, "beta", np.arange(60), inputs)
    assert some.__getitems__(range(60)).expression.isnan().any()


def test_it_can_be_sent_to_another_process(dataset, inputs):
    windows = Windows(dataset, "alpha", ROWS, inputs).dropping(["hic"])
    again = pickle.loads(pickle.dumps(windows))
    torch.testing.assert_close(again[2].signals, windows[2].signals, rtol=0, atol=0)


def test_what_is_not_there(dataset, inputs):
    with pytest.raises(DatasetError, match=r"reads no signal 'dnaze' that could be dropped\. Did you mean 'dnase'\?"):
        Windows(dataset, "alpha", ROWS, inputs).dropping(["dnaze"])
    with pytest.raises(DatasetError, match="has no cell type 'gamma'"):
        Windows(dataset, "gamma", ROWS, inputs)
    with pytest.raises(DatasetError, match="has windows of 128 bp"):
        Windows(dataset, "alpha", ROWS, inputs.model_copy(update={"window": 500}))
