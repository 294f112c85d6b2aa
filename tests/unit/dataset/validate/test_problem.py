from __future__ import annotations

from pathlib import Path

import pytest

from epigx.dataset.validate.problem import Problem, Problems
from epigx.errors import InputError


def test_levels():
    problems = Problems()
    problems.error("a", "is wrong.")
    problems.warning("b", "is odd.")
    problems.notice("c", "is so.")
    assert problems == [Problem("error", "a", "is wrong."), ("warning", "b", "is odd."), ("notice", "c", "is so.")]


def test_a_problem_is_listed_once():
    problems = Problems()
    for _ in range(2):  # two cell types with the same file
        problems.warning("x.bw", "it has no data on chr1.")
    assert problems == [Problem("warning", "x.bw", "it has no data on chr1.")]


def test_own_errors_become_findings_and_others_pass():
    problems = Problems()
    with problems.catching("x.bw"):
        raise InputError("x.bw is damaged.")
    with problems.catching("x.bw"):
        raise InputError("x.bw is damaged.")  # said once
    assert problems == [Problem("error", "x.bw", "is damaged.")]
    with pytest.raises(ZeroDivisionError), problems.catching("x.bw"):
        _ = 1 / 0


def test_files_are_named_as_in_the_manifest():
    problems = Problems(Path("/data/raw"))
    with problems.catching("K562"):
        raise InputError("/data/raw/sub/x.tsv has no column 'a'.")
    with problems.catching("sub/x.tsv"):
        raise InputError("/data/raw/sub/x.tsv, line 3: 'b' is not a number.")
    assert [problem.message for problem in problems] == ["sub/x.tsv has no column 'a'.", "line 3: 'b' is not a number."]
