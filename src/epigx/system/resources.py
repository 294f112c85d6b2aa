"""Cores and memory that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cores", "free_memory_gb", "total_memory_gb"]


def cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory_gb(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> float:
    """Return the memory in GB that can be used without swapping. The limit of a container counts.

    Linux reports it below ``proc`` and ``cgroup``. On other systems all memory of the machine counts as free.
    """
    try:
        machine = 1024 * _fields(proc / "meminfo")["MemAvailable:"]
    except (OSError, KeyError):
        return total_memory_gb()
    try:
        limit = int((cgroup / "memory.max").read_text())
        # Cached files count as used memory, but the kernel drops them when memory is needed.
        used = int((cgroup / "memory.current").read_text()) - _fields(cgroup / "memory.stat")["inactive_file"]
    except (OSError, KeyError, ValueError):  # no limit (written as "max"), or no cgroup of version 2
        return machine / 1e9
    return max(0, min(machine, limit - used)) / 1e9


def total_memory_gb() -> float:
    """Return all memory of the machine in GB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _fields(path: Path) -> dict[str, int]:
    """Read a table of names and numbers."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
