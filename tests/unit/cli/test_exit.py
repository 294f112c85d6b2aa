from __future__ import annotations

import os

import pytest

from epigx.cli.exit import exit_status
from epigx.errors import EpigxError, InputError


class RunFailedError(EpigxError):
    exit_code = 1


def _raising(error):
    def call():
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InputError("genome.fa does not exist."), 2, "Error: genome.fa does not exist."),
        (RunFailedError("The loss is no number."), 1, "Error: The loss is no number."),
        (ValueError("two\nlines"), 1, "Error: ValueError: two lines (--debug shows the traceback.)"),
        (MemoryError(), 1, "Error: Out of memory. Use a smaller batch or window, or fewer jobs."),
        (KeyboardInterrupt(), 130, "Error: Interrupted."),
        (KeyboardInterrupt("Try again."), 130, "Error: Interrupted. Try again."),
    ],
)
def test_every_error_is_one_sentence_and_a_status(error, status, sentence, capsys):
    assert exit_status(_raising(error), debug=False) == status
    assert capsys.readouterr() == ("", sentence + "\n")


def test_debug_shows_the_traceback_before_the_sentence(capsys):
    assert exit_status(_raising(InputError("no")), debug=True) == 2
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith("Error: no\n")


@pytest.mark.parametrize(("result", "status"), [(None, 0), (3, 3), ("text", 0)])
def test_an_integer_result_is_the_status(result, status):
    assert exit_status(lambda: result, debug=False) == status


def test_a_closed_pipe_is_quiet(capfd, monkeypatch):
    copy = os.dup(1)
    try:
        assert exit_status(_raising(BrokenPipeError()), debug=False) == 0
    finally:
        os.dup2(copy, 1)
        os.close(copy)
    assert capfd.readouterr().err == ""
