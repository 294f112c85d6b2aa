"""Facts about the machine, for ``epigx doctor`` and for the first line of every long command."""

from __future__ import annotations

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

__all__ = ["compute", "device_line", "extras", "prepare", "room", "versions"]

_PACKAGES = (
    "torch", "pytorch-lightning", "numpy", "pandas", "pyarrow", "scipy", "pysam", "pybigtools", "hictkpy", "pydantic",
    "cyclopts", "matplotlib",
)  # fmt: skip
_OPTIONAL = {"mamba-ssm": "CUDA kernels of the scan"}
_GIB = 2**30


def versions() -> dict[str, str]:
    """Return the versions of Python, epigx and the packages that its results depend on."""
    from epigx.version import __version__

    return {
        "epigx": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: _version(name) or "not installed" for name in _PACKAGES},
    }


def compute() -> dict[str, str | int]:
    """Return the device and the kernel that a run would use, and why."""
    import torch

    from epigx.kernels import kernel_in_use
    from epigx.training.inference import pick_device

    device = pick_device()
    kernel = kernel_in_use(device)
    return {
        "device": f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type,
        "kernel": kernel.name,
        "why": kernel.why,
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    }


def room(folder: Path = Path()) -> dict[str, float]:
    """Return free and total memory, and free space below ``folder``, in GiB."""
    found = {"disk_free_gib": shutil.disk_usage(folder).free / _GIB}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found["memory_gib"] = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    if "SC_AVPHYS_PAGES" in getattr(os, "sysconf_names", {}):
        found["memory_free_gib"] = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    return found


def extras() -> dict[str, str]:
    """Return the optional packages: their versions, or what they would bring."""
    return {name: _version(name) or f"not installed ({use})" for name, use in _OPTIONAL.items()}


def device_line() -> str:
    """Say on what a command is about to run, so that nothing is ever silently slow."""
    found = compute()
    threads = f"{found['threads']} thread{'s' * (found['threads'] != 1)}"
    return f"Device: {found['device']}, {threads}. Kernel: {found['kernel']}. {found['why']}"


def prepare() -> str:
    """Set the process up for long computation, and say on what it is about to run; call it before torch is imported."""
    # Threads that wait for work otherwise spin, and take the time of whoever shares the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    from epigx.system.allocator import keep_freed_memory

    keep_freed_memory()
    # As training does (kernels/denormals.py), but before PyTorch has any threads, so that it reaches all of them.
    torch.set_flush_denormal(True)
    return device_line()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
