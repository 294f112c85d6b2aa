"""The references: what they read, what they learn, and on whose genes."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from epigx.baselines import GradientBoosting, PromoterActivity, Reference, Ridge, fit_reference
from epigx.baselines.columns import Columns, batches, binned, count_kmers
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError, RunError
from epigx.evaluation.evaluate import evaluate
from epigx.runs.config import DataConfig
from epigx.runs.training_data import choose_training_data


@pytest.fixture(scope="module")
def data(tiny_dataset):
    return DataConfig(path=str(tiny_dataset), cell_types=("alpha",))


def test_the_family_is_known_by_name():
    assert set(Reference.members()) == {"ridge", "gradient_boosting", "promoter_activity"}


def test_a_gene_is_its_bins_its_features_and_its_words(data):
    examples = choose_training_data(data)
    columns, windows = Columns(bins=4, kmer=2), examples.train
    names, rows = columns.names(examples.inputs), columns.of(windows)
    assert rows.shape == (len(windows), len(names)) == (len(windows), 4 * 3 + 2 + 16)
    batch = windows.__getitems__([5])
    place = names.index("signal:dnase:1")
    assert rows[5, place] == pytest.approx(batch.signals[0, 32:64, 1].mean().item(), rel=1e-5)
    assert rows[5, names.index("feature:promoter")] == pytest.approx(batch.features[0, 1].item())
    assert rows[:, names.index("dna:AA") :].sum(axis=1) == pytest.approx(1)
    assert columns.of(windows.only(np.arange(0))).shape == (0, len(names))


def test_of_long_windows_few_are_read_at_a_time(data):
    windows = choose_training_data(data).train  # of 128 bp
    parts = list(batches(windows, bases=128 * 10))
    assert [len(part) for part in parts] == [10] * (len(windows) // 10) + [len(windows) % 10]
    assert [gene for part in parts for gene in part.gene_id] == list(windows.gene_id)
    assert {len(part) for part in batches(windows, bases=1)} == {1}


@pytest.mark.parametrize("setting", [{"bins": -1}, {"kmer": -1}])
def test_there_is_no_negative_number_of_columns(setting):
    with pytest.raises(ConfigError, match=r"(bins|kmer): Input should be greater than or equal to 0 \(got -1\)"):
        Columns.parse(setting)


def test_bins_that_do_not_divide_the_window_hold_every_base_once():
    signals = np.arange(10, dtype=np.float32).reshape(1, 10, 1)
    assert binned(signals, 3).tolist() == [[1.0, 4.5, 8.0]]  # 3 + 4 + 3 bases


def test_words_are_read_on_both_strands_and_never_over_an_unknown_base():
    sequence = np.zeros((1, 5, 4), np.float32)
    for place, base in enumerate([0, 1, None, 2, 2]):  # A C N G G: AC and GT, GG and CC
        if base is not None:
            sequence[0, place, base] = 1
    shares = count_kmers(sequence, 2)[0]
    assert {int(word): shares[word] for word in np.flatnonzero(shares)} == {
        0b0001: 0.25,
        0b1011: 0.25,
        0b1010: 0.25,
        0b0101: 0.25,
    }
    assert not count_kmers(np.zeros((1, 5, 4), np.float32), 2).any()
    assert count_kmers(np.ones((2, 1, 4), np.float32), 3).shape == (2, 64)


@pytest.mark.parametrize(
    "reference",
    [
        Ridge(columns=Columns(bins=2, kmer=1)),
        GradientBoosting(trees=100, learning_rate=0.3, smallest_leaf=3),
        PromoterActivity(feature="promoter"),
    ],
    ids=lambda reference: reference.kind,
)
def test_a_reference_learns_what_the_signals_say(reference, data):
    found = fit_reference(reference, data)
    assert set(found["chrom"]) == {"chr4"}
    error = np.mean((found["predicted"] - found["observed"]) ** 2)
    assert error < 0.7 * found["observed"].var()


def test_a_reference_is_scored_on_the_genes_of_a_network(tiny_run):
    config = tiny_run.config.data
    ours = fit_reference(PromoterActivity(feature="promoter"), config)
    theirs = evaluate(tiny_run, bootstrap=0).genes
    assert list(ours) == list(theirs)
    assert ours[["gene_id", "observed"]].equals(theirs[["gene_id", "observed"]])


def test_the_penalty_is_chosen_on_the_validation_genes(data):
    examples = choose_training_data(data)
    columns = Columns(bins=2, kmer=0)
    penalties = (1e6, 1e-3)
    error = {}
    for penalty in penalties:
        predict = Ridge(columns=columns, penalties=(penalty,)).fit(examples.train, examples.valid)
        error[penalty] = np.mean((predict(examples.valid) - examples.valid.expression) ** 2)
    both = Ridge(columns=columns, penalties=penalties).fit(examples.train, examples.valid)
    assert np.mean((both(examples.valid) - examples.valid.expression) ** 2) == min(error.values())
    assert error[1e-3] < error[1e6]


def test_the_number_of_trees_is_chosen_on_the_validation_genes(data):
    examples = choose_training_data(data)
    boosting = GradientBoosting(columns=Columns(bins=2, kmer=0), trees=60, learning_rate=0.5, smallest_leaf=2)
    error = {}
    for name, chosen_on in {"valid": examples.valid, "train": examples.train}.items():  # the latter takes all trees
        predict = boosting.fit(examples.train, chosen_on)
        error[name] = np.mean((predict(examples.valid) - examples.valid.expression) ** 2)
    assert error["valid"] < error["train"]


def test_the_line_of_activity_is_least_squares_on_its_logarithm(data):
    examples = choose_training_data(data)
    predict = PromoterActivity(feature="promoter").fit(examples.train, examples.valid)
    dataset = open_dataset(data.path)
    activity = np.log10(1 + dataset.feature_values("alpha")[:, 1])
    slope, intercept = np.polyfit(activity[examples.train.row], examples.train.expression, 1)
    assert predict(examples.valid) == pytest.approx(intercept + slope * activity[examples.valid.row])


def test_a_dataset_without_promoter_activity_is_refused(data):
    with pytest.raises(DatasetError, match=r"has no feature 'promoter_activity'\. Ask for it in the manifest"):
        fit_reference(PromoterActivity(), data)


def test_what_is_missing_without_scikit_learn_is_said(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(RunError, match=r"need scikit-learn, which is not installed: pip install 'epigx\[references\]'"):
        fit_reference(Ridge(), data)
