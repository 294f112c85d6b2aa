"""Scores over a whole split, their intervals, and the comparison of two systems."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import mean_absolute_error, mean_squared_error

from epigx.errors import ConfigError, DatasetError
from epigx.metrics import bootstrap, metrics, paired_bootstrap

VALUES = st.floats(0, 5, width=32)


def system(rng, observed, noise):
    return observed + rng.normal(0, noise, observed.size)


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 40).flatmap(lambda n: st.tuples(*[hnp.arrays(np.float64, n, elements=VALUES)] * 2)))
def test_metrics_are_those_of_scipy_and_scikit_learn(pair):
    observed, predicted = pair
    scored = metrics(observed, predicted)
    assert scored.mse == pytest.approx(mean_squared_error(observed, predicted))
    assert scored.mae == pytest.approx(mean_absolute_error(observed, predicted))
    assert scored.n_genes == len(observed)
    if min(np.std(observed), np.std(predicted)) > 1e-3:
        assert scored.pearson == pytest.approx(stats.pearsonr(observed, predicted)[0], abs=1e-9)
        assert scored.spearman == pytest.approx(stats.spearmanr(observed, predicted)[0], abs=1e-9)


def test_whole_split_scores_are_not_means_of_batch_means():
    observed, predicted = np.array([0.0, 0.0, 3.0]), np.array([1.0, 1.0, 3.0])
    batches = [metrics(observed[:2], predicted[:2]).mse, metrics(observed[2:], predicted[2:]).mse]
    assert metrics(observed, predicted).mse == pytest.approx(2 / 3)
    assert np.mean(batches) == pytest.approx(1 / 2)


def test_an_undefined_correlation_is_nan_and_null_in_json():
    scored = metrics([1.0, 2.0], [3.0, 3.0])
    assert np.isnan(scored.pearson)
    assert np.isnan(scored.spearman)
    assert json.loads(json.dumps(scored.to_dict()))["pearson"] is None


@pytest.mark.parametrize("n", [3, 7, 100])
def test_a_constant_has_no_correlation_despite_rounding_of_its_mean(n):
    scored = metrics(np.linspace(0, 1, n), np.full(n, 0.1))  # whose mean is not 0.1
    assert np.isnan(scored.pearson)
    assert np.isnan(scored.spearman)


@pytest.mark.parametrize(
    ("observed", "predicted", "message"),
    [
        ([], [], "There is no gene to score"),
        ([1.0, 2.0], [1.0], "one prediction per gene"),
        ([1.0, np.nan], [1.0, 2.0], "1 of 2 observed values are not finite"),
        ([1.0, 2.0], [np.inf, np.nan], "2 of 2 predicted values are not finite"),
    ],
)
def test_what_cannot_be_scored_is_refused(observed, predicted, message):
    with pytest.raises(DatasetError, match=message):
        metrics(observed, predicted)


def test_intervals_are_seeded_hold_the_value_and_narrow_with_more_genes():
    rng = np.random.default_rng(1)
    observed = rng.normal(size=2000)
    predicted = system(rng, observed, 0.5)
    wide, narrow = (bootstrap(observed[:n], predicted[:n], resamples=200) for n in (100, 2000))
    assert bootstrap(observed[:100], predicted[:100], resamples=200) == wide
    assert bootstrap(observed[:100], predicted[:100], resamples=200, seed=1) != wide
    for name, estimate in wide.items():
        assert estimate.low <= estimate.value <= estimate.high
        assert narrow[name].high - narrow[name].low < estimate.high - estimate.low


def test_less_than_one_resample_gives_no_interval():
    with pytest.raises(ConfigError, match=r"at least one resample, and got -1\. Ask for"):
        bootstrap([1.0, 2.0], [1.0, 2.0], resamples=-1)


def test_interval_of_the_mean_has_the_textbook_width():
    rng = np.random.default_rng(2)
    observed = np.zeros(400)
    predicted = np.abs(rng.normal(1, 0.3, 400))  # the MAE is then the mean of the predictions
    estimate = bootstrap(observed, predicted, resamples=4000)["mae"]
    expected = 2 * 1.96 * predicted.std() / np.sqrt(400)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.06)


def test_paired_difference_sees_what_separate_intervals_cannot():
    rng = np.random.default_rng(3)
    observed = rng.normal(size=300)
    shared = rng.normal(0, 0.6, 300)  # what makes a gene hard for both
    first, second = observed + shared, observed + 1.15 * shared
    apart = [bootstrap(observed, guess, resamples=300)["mse"] for guess in (first, second)]
    assert apart[0].high > apart[1].low
    assert paired_bootstrap(observed, first, second, resamples=300)["mse"].high < 0


def test_paired_difference_is_zero_for_one_system_and_changes_sign_when_swapped():
    rng = np.random.default_rng(4)
    observed = rng.normal(size=50)
    first, second = system(rng, observed, 0.2), system(rng, observed, 0.4)
    same = paired_bootstrap(observed, first, first, resamples=50)
    assert all((e.value, e.low, e.high) == (0, 0, 0) for e in same.values())
    forth = paired_bootstrap(observed, first, second, resamples=50)
    back = paired_bootstrap(observed, second, first, resamples=50)
    for name, estimate in forth.items():
        assert estimate.value == pytest.approx(-back[name].value)
        assert estimate.low == pytest.approx(-back[name].high)


def test_the_scores_of_several_seeds_are_averaged_and_not_their_predictions() -> None:
    rng = np.random.default_rng(0)
    observed = rng.normal(size=80)
    first, second = observed + rng.normal(size=(3, 80)), observed + 0.5 * rng.normal(size=(2, 80))
    found = paired_bootstrap(observed, first, second, resamples=200)
    by_hand = np.mean([metrics(observed, row).mse for row in first]) - np.mean(
        [metrics(observed, row).mse for row in second]
    )
    assert found["mse"].value == pytest.approx(by_hand)
    assert found["mse"].low < by_hand < found["mse"].high
    alone = paired_bootstrap(observed, first[0], second[0], resamples=200)
    assert alone == paired_bootstrap(observed, first[:1], second[:1], resamples=200)
