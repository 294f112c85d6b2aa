from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.regions import n_bytes, pack, unpack


@pytest.mark.parametrize("length", [2, 8, 20, 41])
def test_any_part_of_any_row_comes_back(length):
    mask = np.random.default_rng(0).random((5, length)) < 0.5
    bits = pack(mask)
    assert bits.shape == (5, n_bytes(length))
    rows = np.array([3, 0, 3])
    for start in range(length):
        for stop in range(start + 1, length + 1):
            np.testing.assert_array_equal(unpack(bits, rows, slice(start, stop)), mask[rows, start:stop])
