from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from epigx.cli.console import columns, configure_logging, emit_json, fail, say, warn


@pytest.mark.parametrize(
    ("verbosity", "printed"),
    [
        (-1, {"library warning", "warning", "error"}),
        (0, {"library warning", "message", "warning", "error"}),
        (1, {"library warning", "library step", "message", "warning", "error"}),
        (2, {"library warning", "library step", "library detail", "message", "warning", "error"}),
    ],
)
def test_verbosity_sets_which_messages_are_printed(verbosity, printed, capsys):
    configure_logging(verbosity)
    library = logging.getLogger("epigx.dataset.build.build")
    library.debug("library detail")
    library.info("library step")
    library.warning("library warning")
    say("message")
    warn("warning")
    fail("error")
    out, err = capsys.readouterr()
    everything = {"library detail", "library step", "library warning", "message", "warning", "error"}
    assert {word for word in everything if any(line.endswith(word) for line in err.splitlines())} == printed
    assert out == ""


def test_warnings_and_errors_are_marked(capsys):
    configure_logging(0)
    say("[bold]a path[/bold] stays as it is: [1, 2]")
    warn("careful")
    fail("no")
    assert capsys.readouterr().err.splitlines() == [
        "[bold]a path[/bold] stays as it is: [1, 2]",
        "Warning: careful",
        "Error: no",
    ]


def test_a_long_line_is_not_broken(capsys):
    configure_logging(0)
    say("word " * 60)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_error_before_any_configuration_is_printed(capsys):
    logging.getLogger("epigx").handlers = []
    fail("too early")
    assert capsys.readouterr().err == "Error: too early\n"


def test_json_converts_arrays_and_writes_null_for_numbers_that_are_not_finite(capsys):
    emit_json({"a": np.float32(0.5), "b": float("nan"), "c": np.array([1, 2]), "d": {3: (float("inf"), "x")}})
    assert json.loads(capsys.readouterr().out) == {"a": 0.5, "b": None, "c": [1, 2], "d": {"3": [None, "x"]}}


def test_columns_align_numbers_to_the_right_and_text_to_the_left():
    rows = [("name", "value", "why"), ("mse", "0.5", "because"), ("pearson", "−0.25", "so")]
    assert columns(rows).splitlines() == [
        "name     value  why",
        "mse        0.5  because",
        "pearson  −0.25  so",
    ]
