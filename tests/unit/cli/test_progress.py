from __future__ import annotations

import itertools

import pytest

from epigx.cli import progress as module
from epigx.cli.console import configure_logging
from epigx.cli.progress import Progress, duration


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by a second whenever it is read."""
    seconds = itertools.count()
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(seconds)))


def test_lines_come_from_time_to_time_with_the_time_left(clock, capsys):
    configure_logging(0)
    with Progress("Building") as progress:
        for done in range(1, 31):
            progress(done, 31, "chr1")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Building: 3 of 31 (10%), 28 s left; chr1"
    assert len(lines) == 3


def test_a_short_task_prints_no_line(capsys):
    configure_logging(0)
    with Progress("Building") as progress:
        progress(1, 2)
        progress(2, 2)
    assert capsys.readouterr().err == ""


def test_quiet_means_no_progress(clock, capsys):
    configure_logging(-1)
    with Progress("Building") as progress:
        for done in range(1, 31):
            progress(done, 31)
    assert capsys.readouterr().err == ""


def test_on_a_terminal_there_is_a_bar(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    module.stderr.cache_clear()
    try:
        configure_logging(0)
        with Progress("Building") as progress:
            progress(1, 4, "chr1")
            progress._bar.refresh()
        assert "1/4" in capsys.readouterr().err
    finally:
        module.stderr.cache_clear()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (90_061, "25 h 1 min")]
)
def test_durations_are_in_hours_minutes_and_seconds(seconds, words):
    assert duration(seconds) == words
