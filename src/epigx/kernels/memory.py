"""Keep freed memory in the process, so that the next step does not pay for it again."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Let the C library reuse large blocks instead of giving them back to the system.

    By default glibc maps every tensor above 32 MiB anew, and the kernel then clears each of its pages in each step: a
    seventh of the time of a training step. This holds for the whole process, which then keeps its peak memory; call it
    once, before a run.

    Returns
    -------
    bool
        Whether it took effect (on Linux with glibc).
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library, such as musl
        return False
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: -1, _TOP_PAD: 2**26}
    answers = [mallopt(parameter, value) for parameter, value in settings.items()]
    return answers == [1] * len(settings)
