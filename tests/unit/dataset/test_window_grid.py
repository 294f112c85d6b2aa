from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.window_grid import turned, window_starts

TSS = np.array([100, 100, 0], np.int64)
STRAND = np.array(["+", "-", "-"], object)


def test_which_genes_are_turned():
    assert turned(STRAND, "genome").tolist() == [False, False, False]
    assert turned(STRAND, "strand").tolist() == [False, True, True]


@pytest.mark.parametrize("orient", ["genome", "strand"])
@pytest.mark.parametrize("length", [2, 10, 64])
def test_tss_is_at_the_middle_as_the_window_is_read(orient, length):
    starts = window_starts(TSS, STRAND, length, orient)
    for start, tss, minus in zip(starts, TSS, turned(STRAND, orient), strict=True):
        bases = np.arange(start, start + length)
        read = bases[::-1] if minus else bases
        assert read[length // 2] == tss
