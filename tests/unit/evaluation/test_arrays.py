"""Predictions for raw arrays agree with those for a dataset that holds the same values."""

from __future__ import annotations

import numpy as np
import pytest

import epigx
from epigx.baselines import GradientBoosting, PromoterActivity, Ridge
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError
from epigx.runs.config import RunConfig
from epigx.training.train import train

METHODS = [GradientBoosting(trees=10, smallest_leaf=3), Ridge(), PromoterActivity(feature="promoter")]


@pytest.fixture(scope="module")
def arrays(tiny_dataset):
    """Return the dataset's values as a user would give them."""
    dataset = open_dataset(tiny_dataset)
    values, features = np.array(dataset.signal_values("alpha")), dataset.feature_values("alpha")
    return {
        "signals": {signal.name: values[..., index] for index, signal in enumerate(dataset.signals)},
        "sequence": ["".join("ACGTN"[code] for code in row) for row in dataset.sequence],
        "features": {feature.name: features[:, index] for index, feature in enumerate(dataset.features)},
    }


def expected(run):
    return run.fitted.predict(epigx.Windows(open_dataset(run.config.data.path), "alpha", np.arange(60), run.inputs))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.kind)
def test_a_baseline_predicts_arrays_as_it_predicts_a_dataset(method, arrays, tiny_run, tmp_path):
    run = train(RunConfig(data=tiny_run.config.data, method=method), tmp_path / "run")
    np.testing.assert_array_equal(epigx.predict_arrays(run, **arrays), expected(run))
    np.testing.assert_array_equal(epigx.predict_arrays(run.path, **arrays), expected(run))


def test_a_network_predicts_arrays_as_it_predicts_a_dataset(tiny_run, arrays, tiny_dataset):
    np.testing.assert_array_equal(epigx.predict_arrays(tiny_run, **arrays), expected(tiny_run))
    codes = np.array(open_dataset(tiny_dataset).sequence)
    np.testing.assert_array_equal(epigx.predict_arrays(tiny_run, **{**arrays, "sequence": codes}), expected(tiny_run))
    lower = [letters.lower() for letters in arrays["sequence"]]
    steps = []
    found = epigx.predict_arrays(
        tiny_run, **{**arrays, "sequence": lower}, batch_size=32, progress=lambda *step: steps.append(step)
    )
    np.testing.assert_array_equal(found, expected(tiny_run))
    assert steps[-1] == (60, 60)


@pytest.mark.parametrize(
    ("group", "name", "value", "message"),
    [
        ("signals", "dnsae", np.zeros((60, 128)), "reads no signal 'dnsae'. Did you mean 'dnase'"),
        ("signals", "dnase", None, "reads the signal 'dnase', which is not given. Add it to signals"),
        ("features", "promoter", None, "reads the feature 'promoter', which is not given. Add it to features"),
        ("signals", "dnase", np.zeros((60, 64)), r"'dnase' has the shape \(60, 64\), and the run reads \(gene, 128\)"),
        ("signals", "dnase", np.zeros((5, 128)), r"sequence has 60 genes, but the signal 'dnase' has 5"),
        ("signals", "dnase", np.full((60, 128), np.nan), "'dnase' has values that are not finite. Use 0 where there"),
        ("signals", "h3k27ac", np.full((60, 128), -1.0), "'h3k27ac' reaches -1, .* takes no negative values"),
        ("features", "promoter", np.zeros((60, 2)), r"'promoter' has the shape \(60, 2\), and the run reads \(gene,\)"),
        ("sequence", None, None, "reads DNA, and no sequence is given"),
        ("sequence", None, "ACGT", "is a single string. Give a list of strings"),
        ("sequence", None, ["ACGT", "ACG"], r"differ in length \(3 to 4 bp\)"),
        ("sequence", None, np.full((60, 128), 5), "must hold the codes 0 to 4"),
        ("sequence", None, np.full((60, 128), 0.5), "must hold the codes 0 to 4"),
    ],
)
def test_wrong_arrays_are_refused(tiny_run, arrays, group, name, value, message):
    changed = value if name is None else {**arrays[group], name: value}
    if name is not None and value is None:
        del changed[name]
    with pytest.raises(DatasetError, match=message):
        epigx.predict_arrays(tiny_run, **{**arrays, group: changed})


def test_a_run_without_dna_needs_no_sequence(tiny_run, arrays, tmp_path):
    data = tiny_run.config.data.model_copy(update={"dna": False})
    run = train(RunConfig(data=data, method=Ridge()), tmp_path / "run")
    given = {name: value for name, value in arrays.items() if name != "sequence"}
    np.testing.assert_array_equal(epigx.predict_arrays(run, **given), expected(run))


def test_a_model_that_reads_regions_needs_a_dataset(tiny_run, arrays, monkeypatch):
    monkeypatch.setattr(type(tiny_run.config.method), "needs", frozenset({"peaks"}))
    with pytest.raises(ConfigError, match=r"reads peaks, which cannot be given as arrays. Build a dataset"):
        epigx.predict_arrays(tiny_run, **arrays)
