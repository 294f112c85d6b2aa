"""What is taken away at test time."""

from __future__ import annotations

import pytest

from epigx.errors import LeakageError
from epigx.evaluation.ablate import drop_signals, shorten_windows
from epigx.evaluation.evaluate import evaluate
from epigx.evaluation.target import resolve_target


def test_each_signal_and_all_of_them_are_dropped(tiny_run):
    calls = []
    found = drop_signals(resolve_target(tiny_run, "test"), bootstrap=50, progress=lambda *call: calls.append(call))
    assert found.baseline == evaluate(tiny_run, bootstrap=50)
    assert [arm.drop for arm in found.arms] == [("h3k27ac",), ("dnase",), ("hic",), ("dnase", "h3k27ac", "hic")]
    assert found.arms[1] == evaluate(tiny_run, drop=["dnase"], bootstrap=50)
    assert calls == [(done, 5) for done in range(1, 6)]
    for arm, difference in zip(found.arms, found.differences, strict=True):
        estimate = difference["mae"]
        assert estimate.value == pytest.approx(arm.metrics.mae - found.baseline.metrics.mae)
        assert estimate.low <= estimate.value <= estimate.high


def test_the_table_has_the_baseline_first(tiny_run):
    table = drop_signals(resolve_target(tiny_run, "test"), bootstrap=0).table()
    assert table["dropped"].tolist() == ["", "h3k27ac", "dnase", "hic", "dnase, h3k27ac, hic"]
    assert table["mae_change"].iloc[0] == 0
    assert table["mae_change"].iloc[1] == pytest.approx(table["mae"].iloc[1] / table["mae"].iloc[0] - 1)


def test_windows_are_shortened(tiny_run):
    found = shorten_windows(resolve_target(tiny_run, "test").replace(drop=["hic"]), [64, 96], bootstrap=20)
    assert [arm.window for arm in found.arms] == [64, 96]
    assert found.arms[0] == evaluate(tiny_run, window=64, drop=["hic"], bootstrap=20)
    assert found.baseline.window == 128


def test_the_leak_guard_holds_here_too(tiny_run):
    with pytest.raises(LeakageError, match="was trained on"):
        drop_signals(resolve_target(tiny_run, "all"))
