"""The machine, the versions of packages, and the limits of one thread."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import fastest
from epigx.kernels import linear

__all__ = ["describe", "limits"]

PACKAGES = ("torch", "numpy", "pybigtools", "pysam", "mambapy", "transformers", "pyBigWig")
ROOT = Path(__file__).parents[1]


def describe() -> dict[str, Any]:
    """Return the processor, versions, commit and load of the machine."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise SystemExit(
                f"{name} is not installed. `make bench` installs it (dependency group bench), and so does "
                "`python -m pip install --group bench`."
            ) from None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len(_git("status", "--porcelain", "--untracked-files=no").splitlines()),
        "versions": versions,
    }


def limits() -> dict[str, float]:
    """Measure the best rates of one thread: float32 and bfloat16 products, copies, exponentials.

    The products have the size of a window's (2,000 rows) and weights that fill the cache well; in float32 they are
    made by PyTorch's library and by the kernel in use, of which the bound takes the faster one. The copy is larger than
    most caches (256 MiB in all), counted as read and written; the exponentials are PyTorch's, in cache.
    """
    a, b = torch.randn(2000, 512), torch.randn(512, 512)
    out = torch.empty(2000, 512)
    low = [x.bfloat16() for x in (a, b, out)]
    flops = 2 * 2000 * 512 * 512
    far, cached = torch.randn(2**25), torch.randn(2**14)
    to, small = torch.empty_like(far), torch.empty_like(cached)
    return {
        "float32_gflops": flops / fastest(lambda: torch.mm(a, b, out=out), 100) / 1e9,
        "float32_kernel_gflops": flops / fastest(lambda: linear(a, b), 100) / 1e9,
        "bfloat16_gflops": flops / fastest(lambda: torch.mm(low[0], low[1], out=low[2]), 100) / 1e9,
        "copy_gb_per_s": 2 * 4 * 2**25 / fastest(lambda: to.copy_(far)) / 1e9,
        "exp_g_per_s": 100 * 2**14 / fastest(lambda: [torch.exp(cached, out=small) for _ in range(100)]) / 1e9,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        facts = {}
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
        if facts.keys() >= {"model name", "cpu family", "model"}:  # x86; rented machines hide the generation
            return f"{facts['model name']} (family {facts['cpu family']}, model {facts['model']})"
    return platform.processor()


def _git(*words: str) -> str:
    """Return the output of git, or nothing outside a clone."""
    ended = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return ended.stdout.strip()
