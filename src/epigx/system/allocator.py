"""Whether freed memory stays in the process, so that the next step does not pay for it again, or goes back."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["give_back_freed_memory", "keep_freed_memory"]

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -2, -3, -4


def keep_freed_memory() -> bool:
    """Let the C library reuse large blocks instead of giving them back to the system.

    By default glibc maps every tensor above 32 MiB anew, and the kernel then clears each of its pages in each step: a
    seventh of the time of a training step. This holds for the whole process, which then keeps its peak memory; call it
    once, before a run. Tensors of hundreds of megabytes leave gaps behind that no other fits in, which can double the
    memory: see :func:`give_back_freed_memory`.

    Returns
    -------
    bool
        Whether it took effect (on Linux with glibc).
    """
    return _set({_MMAP_MAX: 0, _TRIM_THRESHOLD: -1, _TOP_PAD: 2**26})


def give_back_freed_memory() -> bool:
    """Undo :func:`keep_freed_memory` for large blocks, where memory matters and not an eighth of the time.

    Returns
    -------
    bool
        Whether it took effect (on Linux with glibc).
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
