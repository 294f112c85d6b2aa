from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.npy import REPAIR, make_array, open_array, write_rows
from epigx.errors import DatasetError


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


@pytest.mark.filterwarnings("ignore")  # NumPy warns of some headers before it refuses them
def test_a_damaged_header_is_told_whatever_it_says(tmp_path):
    path, shape = tmp_path / "a.npy", (3, 2)
    make_array(path, shape, "float32")
    whole = path.read_bytes()
    header = len(whole) - 24
    messages = set()
    for place in range(header):
        for value in b"\x00\xff({'#\\9 ":
            path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            try:
                array = open_array(path, shape, "float32")
            except DatasetError as error:
                messages.add(str(error))
            else:
                assert (array.shape, array.dtype) == (shape, np.float32)
    assert all(message.startswith(f"{path} ") and message.endswith(REPAIR) for message in messages)
    assert any("EOF in multi-line statement" in message for message in messages)


@pytest.mark.parametrize("length", [0, 3, 9, 40, 130])
def test_a_file_that_is_cut_short_is_told(tmp_path, length):
    path = tmp_path / "a.npy"
    make_array(path, (3, 2), "float32")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DatasetError, match=r"a\.npy cannot be read: .*\. Build the dataset again, or copy it again"):
        open_array(path, (3, 2), "float32")
