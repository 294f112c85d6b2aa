from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from epigx.dataset import window_grid
from epigx.dataset.window_grid import WindowGrid, crop_slice
from epigx.errors import ConfigError

GENES = pd.DataFrame({"chrom": ["1", "1", "2", "1"], "tss": [100, 100, 0, 7], "strand": ["+", "-", "-", "+"]})


def test_genes_on_the_minus_strand_are_flipped():
    assert WindowGrid.of(GENES, 10, "genome").flips.tolist() == [False, False, False, False]
    assert WindowGrid.of(GENES, 10, "strand").flips.tolist() == [False, True, True, False]


@pytest.mark.parametrize("orientation", ["genome", "strand"])
@pytest.mark.parametrize("length", [2, 10, 64])
def test_tss_is_in_the_middle_in_reading_direction(orientation, length):
    grid = WindowGrid.of(GENES, length, orientation)
    bases = grid.orient(grid.starts[:, None] + np.arange(length))
    assert bases[:, length // 2].tolist() == grid.tss.tolist()


def test_chunks_hold_one_chromosome_each_and_every_row_once():
    grid = WindowGrid.of(GENES, 10, "strand")
    chunks = list(grid.chunks(25))
    assert [rows.tolist() for rows, _ in chunks] == [[0, 1], [3], [2]]
    assert all(chunk == grid[rows] for rows, chunk in chunks)
    assert [rows.tolist() for rows, _ in grid.chunks(1)] == [[0], [1], [3], [2]]


def test_chunks_are_bounded_by_default(monkeypatch):
    monkeypatch.setattr(window_grid, "MAX_BASES", 10)
    assert len(list(WindowGrid.of(GENES, 10, "genome").chunks())) == 4


def test_no_genes_have_no_chunks():
    assert list(WindowGrid.of(GENES[:0], 10, "genome").chunks()) == []


def test_grids_are_values():
    grid = WindowGrid.of(GENES, 10, "genome")
    assert grid == WindowGrid.of(GENES, 10, "genome")
    assert grid != WindowGrid.of(GENES, 12, "genome")
    assert grid != WindowGrid.of(GENES, 10, "strand")
    assert grid != WindowGrid.of(GENES[::-1], 10, "genome")
    assert grid != "grid"


def test_resolution():
    grid = WindowGrid(np.array(["1"], object), np.array([100]), np.array(["+"], object), 64, "genome", resolution=8)
    assert grid.crop(32).resolution == 8
    assert crop_slice(64, 32, resolution=8) == slice(2, 6)


@pytest.mark.parametrize(
    ("length", "shorter", "resolution", "message"),
    [
        (10, 12, 1, r"A window of 10 bp cannot be cropped to 12 bp\. Choose a shorter window\."),
        (64, 40, 8, r"A window of 64 bp cannot be cropped to 40 bp in steps of 8 bp\. Choose a multiple of 16 bp\."),
    ],
)
def test_crops_that_do_not_fit(length, shorter, resolution, message):
    with pytest.raises(ConfigError, match=message):
        crop_slice(length, shorter, resolution)


@pytest.mark.parametrize("length", [0, 1, 201, -2])
def test_window_without_a_middle(length):
    with pytest.raises(ConfigError, match=f"A window of {length} bp has no middle. Choose an even number of bases"):
        WindowGrid.of(GENES, length, "genome")
    with pytest.raises(ConfigError, match=r"has no middle\. Choose a multiple of 16 bp"):
        WindowGrid(np.array([]), np.array([], int), np.array([]), 8, "genome", resolution=8)
