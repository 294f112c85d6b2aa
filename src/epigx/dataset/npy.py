"""``.npy`` files: filled a few rows at a time, by several processes, without being held in memory; read mapped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from epigx.errors import DatasetError

__all__ = ["MEND", "make_array", "open_array", "write_rows"]

MEND = "Build the dataset again, or copy it again from where it came."
"""What to do with a damaged dataset."""


def make_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Make a file of zeros, of full length from the start."""
    kind = np.dtype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        file.truncate(file.tell() + kind.itemsize * int(np.prod(shape)))


def write_rows(path: Path, first: int, rows: NDArray[Any]) -> None:
    """Write rows at their place.

    Through the file and not through a memory map: on a full disk a write fails with an error, where a map would kill
    the process. The rows are on the disk when this returns, so that they may be noted as done.
    """
    with path.open("r+b") as file:
        npy.read_magic(file)
        npy.read_array_header_1_0(file)
        file.seek(first * rows.dtype.itemsize * int(np.prod(rows.shape[1:])), 1)
        file.write(np.ascontiguousarray(rows).data)
        file.flush()
        os.fsync(file.fileno())


def open_array(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Map a file into memory, read-only.

    Raises
    ------
    DatasetError
        It cannot be read, or holds an array of another shape or type.
    """
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy reads the header as Python, and raises whatever Python does of a damaged one
        raise DatasetError(f"{path} cannot be read: {error}. {MEND}") from None
    if array.shape != shape or array.dtype != np.dtype(dtype):
        raise DatasetError(f"{path} holds {array.dtype} {array.shape} instead of {dtype} {shape}. {MEND}")
    return array
