from __future__ import annotations

import numpy as np
import pytest
import yaml

from epigx.dataset.inputs import FeatureInput, Inputs, SignalInput, fit_inputs
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError

TRAIN = np.arange(36)


@pytest.fixture(scope="module")
def dataset(tiny_dataset):
    return open_dataset(tiny_dataset)


def test_everything_by_default(dataset):
    inputs = fit_inputs(dataset, ["alpha"], TRAIN)
    assert inputs.window == 128
    assert inputs.dna
    assert inputs.signals == (
        SignalInput(name="h3k27ac", transform="log1p", role="foreground"),
        SignalInput(name="dnase", transform="none", role="background"),
        SignalInput(name="hic", transform="none", role="background"),
    )
    assert inputs.background == (1, 2)
    assert [feature.name for feature in inputs.features] == ["length", "promoter"]


def test_a_choice_keeps_its_order(dataset):
    inputs = fit_inputs(
        dataset,
        ["alpha"],
        TRAIN,
        window=64,
        signals=["hic", "h3k27ac"],
        transforms={"hic": "log10p1"},
        features=["promoter"],
        dna=False,
    )
    assert [(signal.name, signal.transform) for signal in inputs.signals] == [("hic", "log10p1"), ("h3k27ac", "log1p")]
    assert [feature.name for feature in inputs.features] == ["promoter"]
    assert inputs.background == (0,)
    assert (inputs.window, inputs.dna) == (64, False)
    assert fit_inputs(dataset, ["alpha"], TRAIN, signals=[], features=[]).signals == ()


def test_scaling_is_fitted_on_training_genes_alone(dataset):
    inputs = fit_inputs(dataset, ["alpha", "beta"], TRAIN)
    length, promoter = inputs.features
    logged = np.log10(1 + dataset.genes["length"].to_numpy()[TRAIN])
    assert length.mean == pytest.approx(logged.mean())
    assert length.scale == pytest.approx(logged.std())
    both = np.concatenate([dataset.genes[f"promoter:{cell}"].to_numpy()[TRAIN] for cell in ("alpha", "beta")])
    assert (promoter.mean, promoter.scale) == (pytest.approx(both.mean()), pytest.approx(both.std()))
    scaled = length.apply(dataset.genes["length"].to_numpy(float)[TRAIN])
    assert scaled.mean() == pytest.approx(0, abs=1e-5)
    assert scaled.std() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("none", [9.0, 2.0]), ("zscore", [3.5, 0.0]), ("log10zscore", [-0.5, 0.0])],
)
def test_a_missing_value_is_the_training_mean(transform, expected):
    feature = FeatureInput(name="x", transform=transform, mean=2.0, scale=2.0)
    assert feature.apply(np.array([9.0, np.nan])).tolist() == expected


def test_features_that_say_nothing(tiny_dataset, dataset, monkeypatch):
    values = dataset.feature_values("alpha")
    values[:, 0] = 0.1  # the computed deviation of which is not 0
    monkeypatch.setattr(type(dataset), "feature_values", lambda self, cell_type: values)
    constant = fit_inputs(dataset, ["alpha"], TRAIN).features[0]
    np.testing.assert_allclose(constant.apply(np.array([0.1, 0.1])), 0, atol=1e-12)
    assert constant.scale == 1
    values[TRAIN, 0] = np.nan
    with pytest.raises(DatasetError, match=r"no training gene has a value of the feature 'length'\. Leave it out"):
        fit_inputs(dataset, ["alpha"], TRAIN)


def test_it_is_saved_and_loaded_exactly(dataset):
    inputs = fit_inputs(dataset, ["alpha"], TRAIN)
    assert Inputs.parse(yaml.safe_load(inputs.dump())) == inputs


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"signals": ["dnaze"]}, DatasetError, r"has no signal 'dnaze'\. Did you mean 'dnase'"),
        ({"features": ["lenght"]}, DatasetError, r"has no feature 'lenght'\. Did you mean 'length'"),
        ({"signals": ["hic", "hic"]}, ConfigError, "A signal is repeated in hic, hic"),
        ({"features": ["length", "length"]}, ConfigError, "A feature is repeated"),
        (
            {"signals": ["hic"], "transforms": {"dnase": "sqrt"}},
            ConfigError,
            r"A transform is set for 'dnase', which is no input\. Choose from: hic",
        ),
        (
            {"window": 256},
            DatasetError,
            r"has windows of 128 bp, but 256 bp are asked for\. Build it with --window 256",
        ),
        ({"window": 63}, ConfigError, "window"),
        ({"window": 0}, ConfigError, "window"),
    ],
)
def test_what_cannot_be_read(dataset, options, kind, message):
    with pytest.raises(kind, match=message):
        fit_inputs(dataset, ["alpha"], TRAIN, **options)


def test_cell_type_that_is_not_there(dataset):
    with pytest.raises(DatasetError, match="has no cell type 'gamma'"):
        fit_inputs(dataset, ["gamma"], TRAIN)


def test_another_dataset_may_lack_what_a_run_reads(dataset):
    inputs = fit_inputs(dataset, ["alpha"], TRAIN)
    inputs.check(dataset)
    other = inputs.model_copy(update={"signals": (SignalInput(name="atac", role="background"),)})
    with pytest.raises(DatasetError, match=r"has no signal 'atac'\. Choose from: dnase, h3k27ac, hic"):
        other.check(dataset)
