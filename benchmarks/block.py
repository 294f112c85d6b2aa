"""One block of Caduceus (d_model 128, 256 inner channels, 16 states, both directions), forward and backward pass.

Run as a program (`python -m benchmarks.block torch 8 500`) it prints the memory that one pass adds to the process, MiB.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import cpu_seconds
from epigx.kernels import kernel
from epigx.layers.mamba import BiMamba

__all__ = ["bound", "compare"]

D_MODEL, INNER, STATE, RANK = 128, 256, 16, 8
# Vector operations on each state of each base: forward 12, the same again for the backward pass, and that pass 9.
SCAN_OPERATIONS = 12 + 12 + 9


def compare(batch: int, length: int, *, kernels: tuple[str, ...], rounds: int) -> dict[str, Any]:
    """Time the kernels side by side, and measure each one's memory in a process of its own."""
    torch.manual_seed(0)
    rivals = {name: _step(name, batch, length) for name in kernels}
    seconds = cpu_seconds(rivals, rounds)
    ours = seconds[kernels[0]]
    return {
        "batch": batch,
        "length": length,
        "cpu_seconds": seconds,
        "times_slower": {name: own / ours for name, own in seconds.items()},
        "peak_mib": {name: _peak(name, batch, length) for name in kernels},
    }


def bound(batch: int, length: int, gflops: float) -> float:
    """Return the CPU seconds of a forward and backward pass if every operation ran at the rate of a large product.

    A product of n rows costs 2 n · weights forward and twice that backward; the scan's operations are one half of a
    multiply-add's two flops each, at the same rate of instructions.
    """
    rows = batch * length
    shared = 2 * D_MODEL * INNER + INNER * D_MODEL
    own = 2 * (INNER * (RANK + 2 * STATE) + RANK * INNER)
    scan = 2 * INNER * STATE * SCAN_OPERATIONS
    return rows * (6 * (shared + own) + 2 * scan) / (gflops * 1e9)


def _step(name: str, batch: int, length: int) -> Callable[[], None]:
    block = BiMamba(d_model=D_MODEL)
    x = torch.randn(batch, length, D_MODEL, requires_grad=True)
    weight = torch.randn(batch, length, D_MODEL)

    def step() -> None:
        x.grad = None
        block.zero_grad()
        with kernel(name):  # type: ignore[arg-type]
            block(x).backward(weight)

    return step


def _peak(name: str, batch: int, length: int) -> int | None:
    if sys.platform != "linux":
        return None
    command = [sys.executable, "-m", "benchmarks.block", name, str(batch), str(length)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _memory(field: str) -> int:
    """Read VmRSS (now) or VmHWM (the highest since the last reset) of this process, KiB; Linux only."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    _step(sys.argv[1], 1, 64)()  # code and thread pools are not the pass's memory
    run = _step(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    Path("/proc/self/clear_refs").write_text("5")  # resets the mark
    before = _memory("VmRSS")
    run()
    print(round((_memory("VmHWM") - before) / 1024))
