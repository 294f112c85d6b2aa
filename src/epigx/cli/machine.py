"""Versions, device, kernel and memory, for ``epigx doctor`` and for the first line of every command that uses torch."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from epigx.cli.console import say

if TYPE_CHECKING:
    from epigx.runs.folder import Run

__all__ = ["compute", "device_line", "extras", "open_runs", "prepare", "resources", "versions"]

_PACKAGES = (
    "torch", "lightgbm", "numpy", "pandas", "pyarrow", "scipy", "pysam", "pybigtools", "hictkpy", "pydantic",
    "cyclopts", "matplotlib",
)  # fmt: skip
_OPTIONAL = {
    "macs3": "peak calling in a manifest; pip install 'epigx[peaks]'",
    "submitit": "--engine slurm; pip install 'epigx[slurm]'",
    "distributed": "--engine dask; pip install 'epigx[dask]'",
    "mamba-ssm": "faster scan on NVIDIA GPUs; pip install mamba-ssm",
}
"""Optional packages: what each is for, and how to install it."""


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
    """Return the device and the kernel that a run would use, and the reason for the kernel."""
    import torch

    from epigx.kernels import kernel_in_use
    from epigx.system.resources import cores
    from epigx.training.inference import pick_device

    device = pick_device()
    kernel = kernel_in_use(device)
    return {
        "device": f"cuda: {torch.cuda.get_device_name(device)}" if device.type == "cuda" else device.type,
        "kernel": kernel.name,
        "why": kernel.why,
        "threads": torch.get_num_threads(),
        "cores": cores(),
    }


def resources(folder: Path = Path()) -> dict[str, float]:
    """Return all and free memory, and free disk space in ``folder``, in GB."""
    from epigx.system.resources import free_memory_gb, total_memory_gb

    return {
        "memory_gb": total_memory_gb(),
        "memory_free_gb": free_memory_gb(),
        "disk_free_gb": shutil.disk_usage(folder).free / 1e9,
    }


def extras() -> dict[str, str]:
    """Return the version of each optional package, and what it is for."""
    return {name: f"{_version(name) or 'not installed'} ({use})" for name, use in _OPTIONAL.items()}


def device_line() -> str:
    """Return the device, the threads and the kernel of a command, so that no run is slow without a visible reason."""
    found = compute()
    threads = f"{found['threads']} thread{'s' * (found['threads'] != 1)}"
    return f"Device: {found['device']}, {threads}. Kernel: {found['kernel']}. {found['why']}"


def open_runs(paths: Iterable[Path]) -> list[Run]:
    """Open runs, and prepare the process for predicting with them."""
    from epigx.runs.folder import open_run

    runs = [open_run(path) for path in paths]
    prepare(torch=any(run.config.method.uses_torch for run in runs))
    return runs


def prepare(*, torch: bool = True) -> None:
    """Prepare the process for long computation. Call it before importing torch, which happens only with ``torch``."""
    from epigx.system.setup_process import setup_process

    setup_process(torch=torch)
    if torch:
        say(device_line())


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
