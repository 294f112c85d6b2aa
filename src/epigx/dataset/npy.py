"""``.npy`` files: written a few rows at a time by several processes, read memory-mapped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from epigx.errors import DatasetError

__all__ = ["REPAIR", "make_array", "open_array", "write_rows"]

REPAIR = "Build the dataset again, or copy it again from its source."
"""The advice for a damaged dataset."""


def make_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> None:
    """Create an array of zeros, at its full size."""
    kind = np.dtype(dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        header = {"descr": npy.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        file.truncate(file.tell() + kind.itemsize * int(np.prod(shape)))


def write_rows(path: Path, first: int, rows: NDArray[Any]) -> None:
    """Write rows, starting at row ``first``, and wait until they are on disk.

    This writes to the file and not to a memory map: on a full disk a write raises an error, a map kills the process.
    """
    with path.open("r+b") as file:
        npy.read_magic(file)
        npy.read_array_header_1_0(file)
        file.seek(first * rows.dtype.itemsize * int(np.prod(rows.shape[1:])), 1)
        file.write(np.ascontiguousarray(rows).data)
        file.flush()
        os.fsync(file.fileno())


def open_array(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Map a file into memory, read-only; one that is damaged or has another shape or type is a ``DatasetError``."""
    try:
        array: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # NumPy parses the header as Python: a damaged one raises anything
        raise DatasetError(f"{path} cannot be read: {error}. {REPAIR}") from None
    if array.shape != shape or array.dtype != np.dtype(dtype):
        raise DatasetError(f"{path} is {array.dtype} {array.shape} instead of {dtype} {shape}. {REPAIR}")
    return array
