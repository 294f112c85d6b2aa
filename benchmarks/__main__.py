"""The quick benchmark: the block's kernels against each other and against the machine's limit, in a few minutes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.block import bound, compare
from benchmarks.machine import describe, limits
from epigx.kernels import kernel_in_use

SIZES = [(8, 500), (8, 2000)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is taken")
    options = parser.parse_args()
    torch.set_num_threads(1)
    ours = kernel_in_use("cpu")
    print(f"Kernel: {ours.name}. {ours.why}", file=sys.stderr)
    kernels = tuple(dict.fromkeys((ours.name, "torch", "reference")))
    machine, limit = describe(), limits()
    blocks = []
    for batch, length in SIZES:
        result = compare(batch, length, kernels=kernels, rounds=options.rounds)
        result["bound_seconds"] = bound(batch, length, limit["float32_gflops"])
        result["share_of_bound"] = result["bound_seconds"] / result["cpu_seconds"][kernels[0]]
        blocks.append(result)
        show(result)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "limits": limit, "kernel": ours._asdict(), "block": blocks}
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    print(options.out)


def show(result: dict[str, Any]) -> None:
    print(
        f"Block, forward and backward, {result['batch']} windows of {result['length']} bp, one thread", file=sys.stderr
    )
    for name, seconds in result["cpu_seconds"].items():
        slower, peak = result["times_slower"][name], result["peak_mib"][name]
        print(f"  {name:10} {seconds:8.3f} CPU-s {slower:7.1f}x {peak or 0:6} MiB", file=sys.stderr)
    print(f"  {result['share_of_bound']:.0%} of the machine's limit, {result['bound_seconds']:.3f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
