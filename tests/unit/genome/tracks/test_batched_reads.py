from __future__ import annotations

import numpy as np

from epigx.genome.tracks.batched_reads import batched_reads


def test_neighbours_share_a_read_and_others_do_not() -> None:
    starts = np.array([500, 0, 30, 520])
    found = list(batched_reads(starts, 20, 1_000, gap=10))
    assert [(read.start, read.end, read.rows.tolist()) for read in found] == [(0, 50, [1, 2]), (500, 540, [0, 3])]


def test_reads_stay_on_the_chromosome(starts: np.ndarray) -> None:
    found = list(batched_reads(starts, 10, 100, gap=0))
    assert all(0 <= read.start < read.end <= 100 for read in found)
    # The windows at 200 and at -60 are entirely outside.
    assert sorted(row for read in found for row in read.rows) == [0, 1, 2, 3, 4]


def test_a_read_is_never_longer_than_the_limit() -> None:
    starts = np.arange(0, 10_000, 10)
    found = list(batched_reads(starts, 20, 10_000, gap=100, limit=200))
    assert max(read.end - read.start for read in found) <= 200
    assert np.concatenate([read.rows for read in found]).tolist() == list(range(1_000))


def test_a_window_longer_than_the_limit_is_a_read_of_its_own() -> None:
    found = list(batched_reads(np.array([0, 10]), 500, 1_000, limit=200))
    assert [(read.start, read.end) for read in found] == [(0, 500), (10, 510)]


def test_no_windows_no_reads() -> None:
    assert list(batched_reads(np.empty(0, dtype=np.int64), 20, 1_000)) == []
