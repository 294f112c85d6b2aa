from __future__ import annotations

import pytest

from epigx.dataset.validate.problem import Problem, Problems
from epigx.errors import InputError


def test_levels():
    problems = Problems()
    problems.error("a", "is wrong.")
    problems.warning("b", "is odd.")
    problems.notice("c", "is so.")
    assert problems == [Problem("error", "a", "is wrong."), ("warning", "b", "is odd."), ("notice", "c", "is so.")]


def test_own_errors_become_findings_and_others_pass():
    problems = Problems()
    with problems.catching("x.bw"):
        raise InputError("x.bw is damaged.")
    with problems.catching("x.bw"):
        raise InputError("x.bw is damaged.")  # said once
    assert problems == [Problem("error", "x.bw", "x.bw is damaged.")]
    with pytest.raises(ZeroDivisionError), problems.catching("x.bw"):
        _ = 1 / 0
