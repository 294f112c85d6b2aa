from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.arrays import make_array, write_rows


@pytest.mark.parametrize(("shape", "dtype"), [((7, 4), "uint8"), ((7, 4, 3), "float16"), ((7,), "float32")])
def test_rows_come_to_lie_where_they_belong(tmp_path, shape, dtype):
    expected = np.random.default_rng(0).integers(0, 9, shape).astype(dtype)
    make_array(tmp_path / "a.npy", shape, dtype)
    for rows in (slice(4, 7), slice(0, 1), slice(1, 4)):
        write_rows(tmp_path / "a.npy", rows.start, expected[rows])
    np.save(tmp_path / "b.npy", expected)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_what_is_not_written_is_zero(tmp_path):
    make_array(tmp_path / "a.npy", (3, 2), "float32")
    write_rows(tmp_path / "a.npy", 1, np.ones((1, 2), np.float32))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), [[0, 0], [1, 1], [0, 0]])


def test_rows_that_do_not_lie_together_in_memory(tmp_path):
    make_array(tmp_path / "a.npy", (2, 3), "float32")
    rows = np.arange(6, dtype=np.float32).reshape(3, 2).T
    write_rows(tmp_path / "a.npy", 0, rows)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), rows)
