"""The simulated causal model: what the truth says of foreground, background and expression holds in the numbers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pybigtools
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression

from epigx.simulator.annotation import annotate
from epigx.simulator.causes import draw_states, smooth_noise
from epigx.simulator.sequence import motif_score, plan_sites
from epigx.simulator.simulate import Simulation, simulate
from epigx.simulator.truth import truth_summary, truth_table

CONTROLS = ["foreground", "transcript"]


@cache
def truth(confounding: float = 0.4, flip: bool = False, noise: float = 0.3) -> pd.DataFrame:
    settings = Simulation(confounding=confounding, flip=flip, noise=noise, cell_types={"a": 0.3})
    annotation = annotate(settings)
    states = draw_states(settings, annotation, motif_score(plan_sites(settings), settings.genes))
    return truth_table(annotation, states)


def slope_of_background(table: pd.DataFrame) -> tuple[float, float]:
    """Return the slope of expression on C with foreground and transcript held, and its standard error."""
    x = table[["background", *CONTROLS]].to_numpy()
    fit = LinearRegression().fit(x, table["expression"])
    residual = table["expression"] - fit.predict(x)
    covariance = np.linalg.inv(np.cov(x.T)) * residual.var() / len(x)
    return float(fit.coef_[0]), float(np.sqrt(covariance[0, 0]))


def test_foreground_explains_expression() -> None:
    table = truth(confounding=0)
    fit = LinearRegression().fit(table[["foreground"]], table["expression"])
    assert fit.score(table[["foreground"]], table["expression"]) > 0.7
    assert fit.coef_[0] == pytest.approx(0.75 * 0.8, abs=0.05)


def test_background_is_independent_of_foreground() -> None:
    table = truth()
    assert abs(np.corrcoef(table["foreground"], table["background"])[0, 1]) < 0.1


def test_confounding_ties_expression_to_background() -> None:
    slope, error = slope_of_background(truth(confounding=0.4))
    assert slope == pytest.approx(0.4, abs=0.03)
    assert slope > 20 * error


def test_without_confounding_background_says_nothing_of_expression() -> None:
    slope, error = slope_of_background(truth(confounding=0))
    assert abs(slope) < 3 * error


def test_flip_reverses_background_on_the_test_chromosomes() -> None:
    flipped = truth(flip=True)
    for split, sign in (("train", 1), ("valid", 1), ("test", -1)):
        slope, error = slope_of_background(flipped[flipped["split"] == split])
        assert sign * slope > 10 * error


def test_truth_without_noise_is_the_equation_that_is_written_down() -> None:
    table = truth()
    written = truth_summary(Simulation(cell_types={"a": 0.3}))
    k, e = written["equations"]["acetylation"], written["equations"]["expression"]
    np.testing.assert_allclose(table["acetylation"], k["ln_height"] + k["per_foreground"] * table["foreground"])

    def expression(acetylation: pd.Series, background: pd.Series) -> pd.Series:
        eta = e["intercept"] + e["acetylation"] * (acetylation - k["ln_height"]) + table["transcript"]
        eta = eta + written["background_effect"]["train"] * background
        return np.log(1 + np.exp(e["sharpness"] * eta)) / e["sharpness"]

    np.testing.assert_allclose(table["expression_true"], expression(table["acetylation"], table["background"]))
    step = 1e-4
    for name, shift in (("h3k27ac", (step, 0)), ("background", (0, step))):
        up = expression(table["acetylation"] + shift[0], table["background"] + shift[1])
        down = expression(table["acetylation"] - shift[0], table["background"] - shift[1])
        np.testing.assert_allclose(table[f"effect_{name}"], (up - down) / (2 * step), atol=1e-6)
    assert (table[["effect_dnase", "effect_hic"]] == 0).all(axis=None)


def test_noise_is_as_wide_as_asked() -> None:
    for noise in (0.0, 0.3):
        table = truth(noise=noise)
        high = table["expression_true"] > 1.5  # counts cannot fall below zero, so low genes have less
        assert (table["expression"] - table["expression_true"])[high].std() == pytest.approx(noise, abs=0.02)


def test_expression_is_never_negative() -> None:
    assert (truth(noise=0.3)["expression"] >= 0).all()


def test_transcript_features_have_a_small_effect() -> None:
    table = truth(confounding=0)
    assert 0.05 < table["transcript"].std() / table["expression_true"].std() < 0.3


def test_smooth_noise_has_unit_variance_and_the_width_that_was_asked() -> None:
    noise = smooth_noise(np.random.default_rng(0), 400_000, 20)
    assert noise.std() == pytest.approx(1, abs=0.03)
    for lag in (20, 40):  # white noise smoothed by a Gaussian of width w correlates as exp(-lag² / 4w²)
        assert np.corrcoef(noise[:-lag], noise[lag:])[0, 1] == pytest.approx(np.exp(-(lag**2) / 1600), abs=0.03)


def log_bins(folder: Path, table: pd.DataFrame, signal: str) -> np.ndarray:
    """Return ln(1 + signal) in 20 bins of the 2 kb around each TSS."""
    reader = pybigtools.open(str(folder / f"a.{signal}.bigWig"))
    places = zip(table["chrom"], table["tss"].tolist(), strict=True)
    tracks = [reader.values(chrom, tss - 1000, tss + 1000, fillna=0) for chrom, tss in places]
    return np.log1p(np.array(tracks).reshape(len(table), 20, 100).mean(axis=2))


def test_a_model_of_all_signals_leans_on_the_confounder(tmp_path: Path) -> None:
    """The defaults show what the paper's Figures 1b and 1c show, and how a flip punishes it."""
    r, error = {}, {}
    for flip in (False, True):
        folder = simulate(Simulation(flip=flip, cell_types={"a": 0.3}), tmp_path / str(flip)).parent
        table = pd.read_parquet(folder / "truth.parquet")
        acetylation, dnase = (log_bins(folder, table, signal) for signal in ("h3k27ac", "dnase"))
        train, test = (table["split"] == part for part in ("train", "test"))
        y = table["expression"].to_numpy()
        inputs = {
            "all": np.hstack([acetylation, dnase]),
            "dropped": np.hstack([acetylation, np.zeros_like(dnase)]),
            "foreground": acetylation,
        }
        for name, x in inputs.items():
            trained_on = inputs["all"] if name == "dropped" else x
            model = HistGradientBoostingRegressor(max_iter=100, max_leaf_nodes=15, random_state=0)
            predicted = model.fit(trained_on[train], y[train]).predict(x[test])
            r[name, flip] = np.corrcoef(predicted, y[test])[0, 1]
            error[name, flip] = np.mean((predicted - y[test]) ** 2)
    assert 0.75 < r["all", False] < 0.95
    assert r["all", False] > r["foreground", False] + 0.03
    assert error["dropped", False] > 1.5 * error["all", False]
    assert r["all", True] < r["foreground", True] - 0.05
    assert r["all", True] < r["all", False] - 0.2


def test_truth_json_names_the_effect_of_every_signal(tmp_path: Path) -> None:
    settings = Simulation(genes=20, chromosomes=("chr1",), confounding=0.6)
    said = json.loads((simulate(settings, tmp_path / "toy").parent / "truth.json").read_text())
    assert said == truth_summary(settings)
    assert said["effects_per_ln_signal"] == {"h3k27ac": 0.75, "dnase": 0.0, "hic": 0.0}
    assert said["confounded_slopes_per_ln_signal"]["dnase"] == pytest.approx(1.0)
