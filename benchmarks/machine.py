"""What the machine is, and the limits that the kernels work against."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from benchmarks.measure import fastest

__all__ = ["describe", "limits"]


def describe() -> dict[str, object]:
    """Name the processor, its threads and the versions at work."""
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
    }


def limits() -> dict[str, float]:
    """Measure what one thread reaches at best: float32 and bfloat16 products, copying, exponentials."""
    a, b = torch.randn(2000, 512), torch.randn(512, 512)
    out = torch.empty(2000, 512)
    low = [x.bfloat16() for x in (a, b, out)]
    flops = 2 * 2000 * 512 * 512
    far, cached = torch.randn(2**25), torch.randn(2**14)
    to, small = torch.empty_like(far), torch.empty_like(cached)
    return {
        "float32_gflops": flops / fastest(lambda: torch.mm(a, b, out=out)) / 1e9,
        "bfloat16_gflops": flops / fastest(lambda: torch.mm(low[0], low[1], out=low[2])) / 1e9,
        "copy_gb_per_s": 2 * 4 * 2**25 / fastest(lambda: to.copy_(far)) / 1e9,
        "exp_g_per_s": 100 * 2**14 / fastest(lambda: [torch.exp(cached, out=small) for _ in range(100)]) / 1e9,
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
