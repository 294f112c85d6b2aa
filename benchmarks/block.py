"""One block of Caduceus (d_model 128, 256 inner channels, 16 states, both directions), forward and backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import torch

from benchmarks.bound import Rates, block_bound
from benchmarks.competitors import COMPETITORS, competitor
from benchmarks.measure import Effort, TooSlow, compare
from benchmarks.plan import Comparison
from epigx.kernels import kernel
from epigx.kernels.dispatch import KernelName
from epigx.layers.mamba import BiMamba

__all__ = ["Block", "agree", "fresh_block", "measure", "with_kernel"]

D_MODEL = 128


@dataclass(frozen=True)
class Block:
    """A forward and backward pass of a competitor, or of our block with the kernel in use (``epigx``) or another."""

    name: str
    batch: int
    length: int

    @property
    def size(self) -> tuple[int, ...]:
        return self.batch, self.length

    def small(self) -> Self:
        return replace(self, batch=1, length=64)

    def prepare(self) -> Callable[[], object]:
        torch.manual_seed(0)
        ours = fresh_block()
        block = competitor(self.name, ours) if self.name in COMPETITORS else ours
        x = torch.randn(self.batch, self.length, D_MODEL, requires_grad=True)
        weight = torch.randn(self.batch, self.length, D_MODEL)

        def step() -> None:
            x.grad = None
            block.zero_grad()
            block(x).backward(weight)

        return with_kernel(self.name, step)


def with_kernel(name: str, step: Callable[[], object]) -> Callable[[], object]:
    """Return the step with the kernel that ``epigx, <kernel>`` names; other names do not change the kernel."""
    chosen: KernelName | None = {"epigx, torch": "torch", "epigx, reference": "reference"}.get(name)  # type: ignore[assignment]
    if chosen is None:
        return step

    def forced() -> None:
        with kernel(chosen):
            step()

    return forced


def fresh_block() -> BiMamba:
    """Return a block with random weights, decay rates and skip connection."""
    block = BiMamba(d_model=D_MODEL)
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            if name.endswith(("A_log", ".D")):
                parameter.add_(0.1 * torch.randn_like(parameter))
    return block


def agree(name: str, batch: int = 2, length: int = 70) -> float:
    """Check that a competitor gives our outputs and our gradients of the input and the input projection.

    Returns
    -------
    float
        The largest relative difference.

    Raises
    ------
    ValueError
        It is above 1e-4, so the timed computations would differ.
    """
    torch.manual_seed(1)
    block = fresh_block()
    other = competitor(name, block)
    weight = torch.randn(batch, length, D_MODEL)
    found = []
    for module in (block, other):
        torch.manual_seed(2)
        x = torch.randn(batch, length, D_MODEL, requires_grad=True)
        y = module(x)
        y.backward(weight)
        found.append((y.detach(), x.grad, module.in_proj.weight.grad))
    worst = max(float((a - b).norm() / a.norm()) for a, b in zip(*found, strict=True))
    if not worst < 1e-4:
        raise ValueError(f"{name!r} differs from our block by {worst:.1e}: it computes something else.")
    return worst


def measure(comparisons: list[Comparison], effort: Effort, limits: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Compare implementations at several sizes, and add the share of the machine's limit that our block reaches."""
    too_slow = TooSlow()
    for sizes, names, default_settings in comparisons:
        for batch, length in sizes:
            cases = {name: Block(name, batch, length) for name in names}
            row = compare(cases, effort, too_slow, default_settings=default_settings)
            if (ours := row["competitors"].get(names[0])) is not None:
                ours["bound"] = block_bound(batch * length, Rates.of(limits)).shares(ours["seconds"])
            yield row | {"batch": batch, "length": length}
