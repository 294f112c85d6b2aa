"""Compare epigx with other implementations and with the machine's limit: one thread, CPU seconds, in turns."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import limits
from benchmarks.plan import FULL, QUICK
from benchmarks.sections import SECTIONS, begin
from benchmarks.table import tables
from benchmarks.worker import run_in_worker
from epigx.system.atomic import atomic_file


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all sizes and implementations: one to two hours")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=tuple(SECTIONS), help="sections to run")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="JSON file to write")
    options = parser.parse_args()
    plan = FULL if options.full else QUICK
    started = time.perf_counter()
    report = begin(plan)
    say(f"Kernel: {report['kernel']['name']}. {report['kernel']['why']}")
    for name in options.only:
        report[name] = []
        for row in SECTIONS[name](plan, report):
            report[name].append(row)
            write(report, options.out)  # an interrupted run leaves what it measured
        say(tables(report)[name])
    report["limits_after"] = run_in_worker(limits)
    report["wall_seconds"] = round(time.perf_counter() - started)
    write(report, options.out)
    print(options.out)


def write(report: dict[str, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")


def say(text: str) -> None:
    print(text + "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
