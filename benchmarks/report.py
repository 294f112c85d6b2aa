"""What a run consists of: the machine, the check that rivals compute the same, and the sections."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import block, build, inference, loader, products, scaling, step
from benchmarks.apart import run_apart
from benchmarks.machine import describe, limits
from benchmarks.peers import PEERS
from benchmarks.plan import FULL, Plan
from epigx.kernels import kernel_in_use

__all__ = ["SECTIONS", "begin"]


def begin(plan: Plan) -> dict[str, Any]:
    """Describe the run, measure the machine, and check that all rivals compute what we do."""
    chosen = kernel_in_use("cpu")
    os.environ["EPIGX_KERNEL"] = chosen.name  # a library that changes under way ends the run, not its speed
    names = {
        name
        for some in (plan.block, plan.step, plan.inference)
        for own in some
        for name in (*own.names, *own.as_they_come)
    }
    return {
        "machine": describe(),
        "plan": "full" if plan is FULL else "quick",
        "effort": plan.effort._asdict(),
        "kernel": chosen._asdict(),
        "limits": run_apart(limits),
        "agreement": run_apart(agreement, sorted(names & PEERS.keys())),
    }


def agreement(names: list[str]) -> dict[str, dict[str, float]]:
    """Return how far each rival is from us, in a block and in a training step; raises where that is not rounding."""
    return {name: {"block": block.agree(name), "step": step.agree(name)} for name in names}


def projections(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from products.measure(plan.product_rows, plan.projections, plan.effort)


def blocks(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from block.measure(plan.block, plan.effort, report["limits"])


def steps(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from step.measure(plan.step, plan.effort, report["limits"])


def lengths(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from scaling.measure(plan.scaling, plan.scaling_rivals, plan.effort)


def predictions(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from inference.measure(plan.inference, plan.effort)


def data(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="epigx-bench-") as folder:
        rows = build.measure(Path(folder), 2000, plan.chromosomes, plan.effort)
        rows[0]["loader"] = loader.measure(Path(folder) / "data", 8, plan.effort)
    yield from rows


SECTIONS: dict[str, Callable[[Plan, dict[str, Any]], Iterator[dict[str, Any]]]] = {
    "products": projections,
    "block": blocks,
    "step": steps,
    "scaling": lengths,
    "inference": predictions,
    "data": data,
}
