"""Metrics of predictions, over all genes of a split at once, never as a mean of batch means.

:data:`METRICS` is the one table of metrics: training, tables, figures and the paper's pages read it, so a new metric is
one row (or an entry point ``epigx.metrics`` of another package). Intervals come from resampling genes with replacement
(percentile bootstrap). Two systems are compared on the same resamples, so that differences between genes that affect
both cancel out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from epigx.config import load_plugin
from epigx.errors import ConfigError, DatasetError

__all__ = ["METRICS", "Estimate", "Metric", "Metrics", "all_metrics", "bootstrap", "metrics", "paired_bootstrap"]

Values = NDArray[np.float64]

_TAILS = [(1 - 0.95) / 2, (1 + 0.95) / 2]
"""Quantiles at the ends of an interval."""

_CHUNK = 2_000_000
"""Resampled values held at once: 16 MB for each of the few arrays a score needs."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to score predictions.

    Parameters
    ----------
    name, label : str
        Key in tables and JSON, and label on pages.
    higher_is_better : bool
        Direction.
    function : callable
        From measured and predicted log10(1 + x), (…, gene), to scores, (…): it works along the last axis.
    """

    name: str
    label: str
    higher_is_better: bool
    function: Callable[[Values, Values], Values]


def _mse(observed: Values, predicted: Values) -> Values:
    return np.asarray(np.mean((predicted - observed) ** 2, axis=-1))


def _mae(observed: Values, predicted: Values) -> Values:
    return np.asarray(np.mean(np.abs(predicted - observed), axis=-1))


def _pearson(a: Values, b: Values) -> Values:
    # Not by the spread around the mean, which for equal values can be a rounding error.
    varies = (np.ptp(a, axis=-1) > 0) & (np.ptp(b, axis=-1) > 0)
    a = a - a.mean(axis=-1, keepdims=True)
    b = b - b.mean(axis=-1, keepdims=True)
    scale = np.sqrt(np.sum(a * a, axis=-1) * np.sum(b * b, axis=-1))
    product = np.asarray(np.sum(a * b, axis=-1))
    correlation: Values = np.full_like(product, np.nan)
    np.divide(product, scale, out=correlation, where=np.asarray(varies & (scale > 0)))
    return correlation


def _spearman(observed: Values, predicted: Values) -> Values:
    return _pearson(rankdata(observed, axis=-1), rankdata(predicted, axis=-1))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mse", "MSE", False, _mse),
        Metric("mae", "MAE", False, _mae),
        Metric("pearson", "Pearson r", True, _pearson),
        Metric("spearman", "Spearman ρ", True, _spearman),
    )
}
"""The metrics of epigx by name; :func:`all_metrics` adds those of installed packages."""


@cache
def all_metrics() -> dict[str, Metric]:
    """Return all metrics by name: :data:`METRICS`, then those registered as entry points ``epigx.metrics``."""
    found = dict(METRICS)
    for plugin in entry_points(group="epigx.metrics"):
        metric: Metric = load_plugin(plugin)
        found[metric.name] = metric
    return found


@dataclass(frozen=True, slots=True)
class Metrics:
    """Scores by the name of the metric; also attributes: ``found.mse``.

    Parameters
    ----------
    scores : mapping of str to float
        NaN for a correlation when one side does not vary.
    n_genes : int
        The number of genes scored.
    """

    scores: Mapping[str, float]
    n_genes: int

    def __getattr__(self, name: str) -> float:
        if name.startswith("_") or name == "scores" or name not in self.scores:
            raise AttributeError(name)
        return self.scores[name]

    def __getitem__(self, name: str) -> float:
        return self.scores[name]

    def to_dict(self) -> dict[str, float | int | None]:
        """Return plain values, with ``None`` for a correlation that is not defined."""
        scores = {name: None if math.isnan(value) else value for name, value in self.scores.items()}
        return {**scores, "n_genes": self.n_genes}


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its bootstrap interval."""

    value: float
    low: float
    high: float


def metrics(observed: ArrayLike, predicted: ArrayLike) -> Metrics:
    """Score predictions of all genes of a split.

    Parameters
    ----------
    observed, predicted : array_like of shape (gene,)
        log10(1 + x), measured and predicted.

    Raises
    ------
    DatasetError
        There is no gene, the lengths differ, or a value is not finite.

    Examples
    --------
    >>> metrics([0.0, 1.0, 2.0], [0.0, 1.0, 3.0]).mae
    0.3333333333333333
    """
    truth, guess = _pair(observed, predicted)
    return Metrics({name: float(value) for name, value in _scores(truth, guess).items()}, truth.size)


def bootstrap(
    observed: ArrayLike, predicted: ArrayLike, *, resamples: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Return each metric with the interval that contains 95 % of its values over resampled genes.

    Returns
    -------
    dict of str to Estimate
        By metric name; the same seed gives the same intervals.
    """
    truth, guess = _pair(observed, predicted)
    draws = [_scores(truth[rows], guess[rows]) for rows in _resampled(truth.size, resamples, seed)]
    return _estimates(_scores(truth, guess), draws)


def paired_bootstrap(
    observed: ArrayLike, first: ArrayLike, second: ArrayLike, *, resamples: int = 1000
) -> dict[str, Estimate]:
    """Compare two systems on the same genes: each metric of the first minus that of the second.

    Parameters
    ----------
    observed : array_like of shape (gene,)
        log10(1 + x), measured.
    first, second : array_like of shape (gene,) or (seed, gene)
        The same, predicted; the scores of several seeds are averaged in each resample.

    Returns
    -------
    dict of str to Estimate
        By metric name. A 95 % interval without zero: the two differ significantly.
    """
    ones, others = ([_pair(observed, row) for row in np.atleast_2d(system)] for system in (first, second))
    truth = ones[0][0]
    one, other = (np.stack([guess for _, guess in pairs]) for pairs in (ones, others))

    def difference(rows: NDArray[np.int64]) -> dict[str, Values]:
        drawn = (_scores(truth[rows], system[:, rows]) for system in (one, other))
        ours, theirs = ({name: values.mean(axis=0) for name, values in scores.items()} for scores in drawn)
        return {name: ours[name] - theirs[name] for name in ours}

    draws = [difference(rows) for rows in _resampled(truth.size, resamples, at_once=max(len(one), len(other)))]
    return _estimates(difference(np.arange(truth.size)), draws)


def _scores(observed: Values, predicted: Values) -> dict[str, Values]:
    """Score along the last axis, for any leading axes."""
    return {name: metric.function(observed, predicted) for name, metric in all_metrics().items()}


def _estimates(values: dict[str, Values], draws: list[dict[str, Values]]) -> dict[str, Estimate]:
    found = {}
    for name, value in values.items():
        drawn = np.concatenate([np.atleast_1d(draw[name]) for draw in draws])
        drawn = drawn[np.isfinite(drawn)]  # a resample of equal values has no correlation
        low, high = np.quantile(drawn, _TAILS) if drawn.size else (np.nan, np.nan)
        found[name] = Estimate(float(value), float(low), float(high))
    return found


def _resampled(n: int, resamples: int, seed: int = 0, at_once: int = 1) -> Iterator[NDArray[np.int64]]:
    """Yield index arrays (resample, gene), a bounded number of rows at a time, for ``at_once`` systems together."""
    if resamples < 1:
        raise ConfigError(
            f"An interval needs at least one resample, and got {resamples}. Ask for 1,000, or for none (0)."
        )
    generator = np.random.default_rng(seed)
    rows = max(1, _CHUNK // (n * at_once))
    for start in range(0, resamples, rows):
        yield generator.integers(0, n, size=(min(rows, resamples - start), n))


def _pair(observed: ArrayLike, predicted: ArrayLike) -> tuple[Values, Values]:
    truth, guess = np.asarray(observed, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != guess.shape:
        raise DatasetError(f"Scores need one prediction per gene: {truth.shape} observed, {guess.shape} predicted.")
    if truth.size == 0:
        raise DatasetError("There is no gene to score. Choose a split whose genes have labels.")
    for name, values in (("observed", truth), ("predicted", guess)):
        if bad := int(np.sum(~np.isfinite(values))):
            raise DatasetError(f"{bad} of {values.size} {name} values are not finite. Leave those genes out.")
    return truth, guess
