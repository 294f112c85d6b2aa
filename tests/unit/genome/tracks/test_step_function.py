from __future__ import annotations

import numpy as np
import pytest

from epigx.genome.tracks.step_function import StepFunction, max_of_intervals


@pytest.fixture
def steps() -> StepFunction:
    return StepFunction(np.array([2, 5, 8]), np.array([4, 8, 9]), np.array([1.0, 2.0, -3.0]))


def test_windows_have_the_value_of_each_base(steps: StepFunction) -> None:
    painted = steps.windows(np.array([0, 7, 20, -4]), 6, 0.0)
    assert painted.dtype == np.float32
    assert painted.tolist() == [
        [0, 0, 1, 1, 0, 2],
        [2, -3, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_bases_that_no_step_covers_have_the_fill(steps: StepFunction) -> None:
    assert np.isnan(steps.windows(np.array([4]), 2, np.nan)).tolist() == [[True, False]]


def test_no_windows(steps: StepFunction) -> None:
    assert steps.windows(np.empty(0, dtype=np.int64), 6, 0.0).shape == (0, 6)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(0, 10, 1.0), (5, 8, 3.0)], [(0, 5, 1.0), (5, 8, 3.0), (8, 10, 1.0)]),
        ([(5, 8, 0.5), (0, 10, 1.0)], [(0, 5, 1.0), (5, 8, 1.0), (8, 10, 1.0)]),
        ([(20, 30, 2.0), (0, 10, -1.0)], [(0, 10, -1.0), (20, 30, 2.0)]),
        ([(0, 5, 1.0), (5, 9, 1.0)], [(0, 5, 1.0), (5, 9, 1.0)]),
        ([], []),
    ],
)
def test_the_highest_interval_counts(
    intervals: list[tuple[int, int, float]], expected: list[tuple[int, int, float]]
) -> None:
    columns = [np.array([row[place] for row in intervals], dtype=kind) for place, kind in enumerate((int, int, float))]
    assert list(zip(*max_of_intervals(*columns), strict=True)) == expected
