"""The sections of a run, after a description of the machine and a check that competitors compute the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import block, data, products, scaling, step
from benchmarks.competitors import COMPETITORS
from benchmarks.machine import describe, limits
from benchmarks.plan import FULL, Plan
from benchmarks.worker import run_in_worker
from epigx.kernels import kernel_in_use

__all__ = ["SECTIONS", "begin"]


def begin(plan: Plan) -> dict[str, Any]:
    """Describe the run, measure the machine, and check that all competitors compute the same as epigx."""
    chosen = kernel_in_use("cpu")
    os.environ["EPIGX_KERNEL"] = chosen.name  # if the library changes during the run, the run fails
    names = {
        name
        for some in (plan.block, plan.step, plan.inference)
        for own in some
        for name in (*own.names, *own.default_settings)
    }
    return {
        "machine": describe(),
        "plan": "full" if plan is FULL else "quick",
        "effort": plan.effort._asdict(),
        "kernel": chosen._asdict(),
        "limits": run_in_worker(limits),
        "agreement": run_in_worker(agreement, sorted(names & COMPETITORS.keys())),
    }


def agreement(names: list[str]) -> dict[str, dict[str, float]]:
    """Return how much each competitor differs from epigx in a block and a training step; raise if not by rounding."""
    return {name: {"block": block.agree(name), "step": step.agree(name)} for name in names}


def projections(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from products.measure(plan.product_rows, plan.projections, plan.effort)


def blocks(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from block.measure(plan.block, plan.effort, report["limits"])


def steps(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from step.measure(plan.step, plan.effort, report["limits"])


def lengths(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from scaling.measure(plan.scaling, plan.scaling_competitors, plan.effort)


def predictions(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from step.measure_prediction(plan.inference, plan.effort)


def readers(plan: Plan, report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="epigx-bench-") as folder:
        rows = data.measure(Path(folder), 2000, plan.chromosomes, plan.effort)
        rows[0]["loader"] = data.measure_loader(Path(folder) / "data", 8, plan.effort)
    yield from rows


SECTIONS: dict[str, Callable[[Plan, dict[str, Any]], Iterator[dict[str, Any]]]] = {
    "products": projections,
    "block": blocks,
    "step": steps,
    "scaling": lengths,
    "inference": predictions,
    "data": readers,
}
