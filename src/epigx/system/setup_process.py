"""The one function that prepares a process for long computation: threads, memory, very small numbers."""

from __future__ import annotations

import os

from epigx.system.allocator import keep_freed_memory

__all__ = ["setup_process"]


def setup_process(threads: int | None = None, *, torch: bool = True) -> None:
    """Prepare this process for long computation. Call it before torch is imported or has computed anything.

    It lets idle OpenMP threads sleep, keeps freed memory in the process, treats numbers below 1.2e-38 as zero on every
    thread of PyTorch, and sets how many of those threads there are. ``OMP_WAIT_POLICY`` keeps a value that the user has
    set.

    Parameters
    ----------
    threads : int, optional
        Number of threads. By default PyTorch decides: one for each core, or ``OMP_NUM_THREADS``.
    torch : bool
        Whether the process will use PyTorch. With ``False`` torch is not imported, and ``threads`` limits the libraries
        that are loaded later (NumPy, LightGBM) through ``OMP_NUM_THREADS``.
    """
    # OpenMP reads this once, when torch is loaded. Threads that spin while they wait slow down everything else.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    keep_freed_memory()
    if not torch:
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = str(threads)
        return
    from torch import set_flush_denormal, set_num_threads

    # Only reaches threads that are started later, so it comes before PyTorch's first computation.
    set_flush_denormal(True)
    if threads is not None:
        set_num_threads(threads)
