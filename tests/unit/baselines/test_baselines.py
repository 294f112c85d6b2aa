"""The baselines: what they read, what they learn, and on whose genes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from epigx.baselines import Columns, GradientBoosting, PromoterActivity, Ridge, columns
from epigx.baselines.columns import binned, count_kmers
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError
from epigx.evaluation.evaluate import evaluate
from epigx.runs.config import DataConfig, RunConfig
from epigx.runs.method import Method
from epigx.runs.session import Session
from epigx.runs.training_data import choose_training_data
from epigx.system.shutdown import Interruption
from epigx.training.train import train

ACTIVITY = PromoterActivity(feature="promoter")


@pytest.fixture(scope="module")
def config(tiny_dataset):
    return DataConfig(path=str(tiny_dataset), cell_types=("alpha",))


@pytest.fixture(scope="module")
def data(config):
    return choose_training_data(config)


@pytest.fixture
def fit(config, tmp_path):
    """Fit a method to training data, without a run."""

    def fitted(method, data):
        whole = RunConfig(data=config, method=method)
        session = Session(tmp_path / "run", whole, False, Interruption(None), leads=False, progress=lambda *_: None)
        return method.fit(data, session)

    return fitted


def error_of(fitted, windows):
    return np.mean((fitted.predict(windows) - windows.expression) ** 2)


def test_the_methods_are_found_by_name():
    assert {"network", "ridge", "gradient_boosting", "promoter_activity"} <= set(Method.names())
    assert Method.find("ridge") is Ridge


def test_a_gene_is_described_by_bins_features_and_kmers(data):
    described, windows = Columns(bins=4, kmer=2), data.train
    names, table = described.names(data.inputs), described.table(windows)
    assert table.shape == (len(windows), len(names)) == (len(windows), 4 * 3 + 2 + 16)
    batch = windows.__getitems__([5])
    column = names.index("signal:dnase:1")
    assert table[5, column] == pytest.approx(batch.signals[0, 32:64, 1].mean().item(), rel=1e-5)
    assert table[5, names.index("feature:promoter")] == pytest.approx(batch.features[0, 1].item())
    assert table[:, names.index("dna:AA") :].sum(axis=1) == pytest.approx(1)
    assert described.table(windows.only(np.arange(0))).shape == (0, len(names))


@pytest.mark.parametrize("bases", [1, 128 * 10])
def test_long_windows_are_read_in_chunks(data, monkeypatch, bases):
    windows, read, steps = data.train, [], []  # of 128 bp
    whole = Columns().table(windows)
    arrays = type(windows).arrays
    monkeypatch.setattr(columns, "CHUNK_BASES", bases)
    monkeypatch.setattr(type(windows), "arrays", lambda self, index: read.append(list(index)) or arrays(self, index))
    np.testing.assert_array_equal(Columns().table(windows, lambda *step: steps.append(step)), whole)
    size = max(1, bases // 128)
    assert [len(chunk) for chunk in read] == [size] * (len(windows) // size) + [len(windows) % size] * (size > 1)
    assert [index for chunk in read for index in chunk] == list(range(len(windows)))
    assert steps[-1] == (len(windows), len(windows))


@pytest.mark.parametrize("setting", [{"bins": -1}, {"kmer": -1}])
def test_a_negative_number_of_columns_is_refused(setting):
    with pytest.raises(ConfigError, match=r"(bins|kmer): Input should be greater than or equal to 0 \(got -1\)"):
        Columns.parse(setting)


def test_bins_that_do_not_divide_the_window_contain_every_base_once():
    signals = np.arange(10, dtype=np.float32).reshape(1, 10, 1)
    assert binned(signals, 3).tolist() == [[1.0, 4.5, 8.0]]  # 3 + 4 + 3 bases
    assert binned(signals[:, :2], 5).tolist() == [[0.0, 0.0, 0.0, 1.0, 0.0]]  # more bins than bases


def test_kmers_are_counted_on_both_strands_and_never_across_an_unknown_base():
    frequencies = count_kmers(np.array([[0, 1, 4, 2, 2]], np.uint8), 2)[0]  # A C N G G: AC and GT, GG and CC
    assert {int(kmer): frequencies[kmer] for kmer in np.flatnonzero(frequencies)} == {
        0b0001: 0.25,
        0b1011: 0.25,
        0b1010: 0.25,
        0b0101: 0.25,
    }
    assert not count_kmers(np.full((1, 5), 4, np.uint8), 2).any()
    assert count_kmers(np.zeros((2, 1), np.uint8), 3).shape == (2, 64)


@pytest.mark.parametrize(
    "method",
    [
        Ridge(columns=Columns(bins=2, kmer=1)),
        GradientBoosting(trees=100, learning_rate=0.3, smallest_leaf=3),
        ACTIVITY,
    ],
    ids=lambda method: method.kind,
)
def test_a_baseline_learns_from_the_signals(method, config, tmp_path):
    run = train(RunConfig(data=config, method=method), tmp_path / "run")
    found = evaluate(run, bootstrap=0).genes
    assert set(found["chrom"]) == {"chr4"}
    error = np.mean((found["predicted"] - found["observed"]) ** 2)
    assert error < 0.7 * found["observed"].var()


def test_a_baseline_is_scored_on_the_same_genes_as_a_network(tiny_run, tmp_path):
    run = train(RunConfig(data=tiny_run.config.data, method=ACTIVITY), tmp_path / "run")
    ours, theirs = (evaluate(one, bootstrap=0).genes for one in (run, tiny_run))
    assert list(ours) == list(theirs)
    assert ours[["gene_id", "observed"]].equals(theirs[["gene_id", "observed"]])


def test_the_penalty_is_chosen_on_the_validation_genes(data, fit):
    described = Columns(bins=2, kmer=0)
    penalties = (1e6, 1e-3)
    error = {
        penalty: error_of(fit(Ridge(columns=described, penalties=(penalty,)), data), data.valid)
        for penalty in penalties
    }
    both = fit(Ridge(columns=described, penalties=penalties), data)
    assert error_of(both, data.valid) == min(error.values())
    assert error[1e-3] < error[1e6]
    assert both.describe() == {"Penalty": "0.001"}


def test_the_number_of_trees_is_chosen_on_the_validation_genes(data, fit):
    method = GradientBoosting(columns=Columns(bins=2, kmer=0), trees=60, learning_rate=0.5, smallest_leaf=2)
    chosen = fit(method, data)
    every = fit(method, type(data)(**{**vars(data), "valid": data.train}))  # on the training genes all trees help
    assert chosen.facts.best_step == chosen.booster.num_trees() < every.booster.num_trees()
    assert error_of(chosen, data.valid) < error_of(every, data.valid)


def test_boosting_reports_each_tree(config, tmp_path):
    seen = []
    method = GradientBoosting(trees=5, smallest_leaf=3)
    run = train(RunConfig(data=config, method=method), tmp_path / "run", progress=lambda *step: seen.append(step))
    assert [(done, total) for done, total, _ in seen] == [(tree, 5) for tree in range(1, 6)]
    assert min(scores["valid_mse"] for *_, scores in seen) == pytest.approx(run.metrics["mse"], rel=1e-4)
    assert run.provenance.versions.keys() >= {"epigx", "lightgbm", "numpy"}


def test_the_line_through_activity_is_least_squares_on_its_logarithm(data, fit):
    fitted = fit(ACTIVITY, data)
    activity = np.log10(1 + open_dataset(data.dataset.path).feature_values("alpha")[:, 1])
    slope, intercept = np.polyfit(activity[data.train.row], data.train.expression, 1)
    assert fitted.predict(data.valid) == pytest.approx(intercept + slope * activity[data.valid.row])
    assert fitted.parameters() == {"line": 2}


def test_a_gene_without_activity_gets_the_typical_one(data, fit, monkeypatch):
    fitted = fit(ACTIVITY, data)
    monkeypatch.setattr(type(data.valid), "raw_feature", lambda self, name: np.full(len(self), math.nan))
    assert fitted.predict(data.valid) == pytest.approx(fitted.intercept + fitted.slope * fitted.typical)


def test_a_dataset_without_promoter_activity_is_refused(config, tmp_path):
    with pytest.raises(DatasetError, match=r"has no feature 'promoter_activity'\..*Add it to the manifest"):
        train(RunConfig(data=config, method=PromoterActivity()), tmp_path / "run")
    assert not (tmp_path / "run").exists()
