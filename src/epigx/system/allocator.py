"""Controls whether the C library keeps freed memory in the process or returns it to the system."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4


def keep_freed_memory() -> bool:
    """Keep freed memory in the process, so that large tensors reuse it.

    By default, glibc requests new memory for each tensor above 32 MiB, and the system clears its pages each time, which
    takes a seventh of a training step. The setting applies to the whole process, which then keeps its peak memory; call
    this once, before a run. Tensors of hundreds of megabytes fragment the memory, which can double it: see
    :func:`give_back_freed_memory`.

    Return whether the setting took effect; only on Linux with glibc.
    """
    return _set({_MMAP_MAX: 0, _TRIM_THRESHOLD: -1, _TOP_PAD: 2**26})


def give_back_freed_memory() -> bool:
    """Undo :func:`keep_freed_memory` for large blocks, to save memory at the cost of an eighth of the time.

    Return whether the setting took effect; only on Linux with glibc.
    """
    return _set({_MMAP_MAX: 2**16, _MMAP_THRESHOLD: 2**25, _TRIM_THRESHOLD: 2**26, _TOP_PAD: 2**20})


def _set(settings: dict[int, int]) -> bool:
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library, such as musl
        return False
    answers = [mallopt(parameter, value) for parameter, value in settings.items()]
    return answers == [1] * len(settings)
