"""Which implementation runs, and why: the fastest that the machine has, unless one is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NamedTuple, get_args

import torch

from epigx.errors import ConfigError, did_you_mean
from epigx.kernels import cpu, cuda

__all__ = ["KernelChoice", "KernelName", "kernel", "kernel_in_use"]

KernelName = Literal["native", "cuda", "torch", "reference"]

_asked: ContextVar[str | None] = ContextVar("epigx_kernel", default=None)


class KernelChoice(NamedTuple):
    """The implementation that runs."""

    name: KernelName
    """`native` (C++, CPU), `cuda` (mamba-ssm), `torch` (plain PyTorch, any device) or `reference` (tests)."""
    why: str
    """The reason, and how to get a faster one if there is one: one or two sentences."""


def kernel_in_use(device: torch.device | str) -> KernelChoice:
    """Say which kernel runs on a device.

    Parameters
    ----------
    device : torch.device or str
        Where the tensors are.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` names a kernel that does not exist, is not installed, or does not run on the device.
    """
    kind = torch.device(device).type
    asked = _asked.get() or os.environ.get("EPIGX_KERNEL")
    if asked:
        name = _check(asked, kind)
        return KernelChoice(name, f"EPIGX_KERNEL={asked} asks for it{_price(name, kind)}.")
    if kind == "cpu":
        reason = cpu.missing()
        if reason is None:
            return KernelChoice("native", f"epigx's own C++ kernel ({cpu.description()}).")
        return KernelChoice(
            "torch", f"Plain PyTorch, about {cpu.SPEEDUP} times slower than epigx's C++ kernel: {reason}."
        )
    if kind == "cuda":
        reason = cuda.missing()
        if reason is None:
            return KernelChoice("cuda", "mamba-ssm's CUDA kernel.")
        return KernelChoice("torch", f"Plain PyTorch: {reason}. `pip install mamba-ssm` gives a faster kernel.")
    return KernelChoice("torch", f"Plain PyTorch is the only kernel for the device type {kind!r}.")


@contextmanager
def kernel(name: KernelName) -> Iterator[None]:
    """Force a kernel inside a `with` block, as `EPIGX_KERNEL` does for a process.

    Raises
    ------
    ConfigError
        On the first call of a kernel inside the block, as in :func:`kernel_in_use`.
    """
    token = _asked.set(name)
    try:
        yield
    finally:
        _asked.reset(token)


def _price(name: KernelName, kind: str) -> str:
    """Say what it costs to ask for another kernel than the one that would be chosen."""
    if name == "torch" and kind == "cpu":
        return f": plain PyTorch, about {cpu.SPEEDUP} times slower than epigx's C++ kernel"
    if name == "torch" and kind == "cuda":
        return ": plain PyTorch, slower than mamba-ssm's kernel"
    return ": the recurrence written out, for tests, and the slowest of all" if name == "reference" else ""


def _check(asked: str, kind: str) -> KernelName:
    names: tuple[KernelName, ...] = get_args(KernelName)
    for name in names:
        if name == asked:
            break
    else:
        raise ConfigError(f"EPIGX_KERNEL={asked} names no kernel.{did_you_mean(asked, names)}")
    homes = {"native": ("cpu", cpu.missing), "cuda": ("cuda", cuda.missing)}
    if name not in homes:
        return name
    home, missing = homes[name]
    if (reason := missing()) is not None:
        raise ConfigError(f"EPIGX_KERNEL={name} cannot be used: {reason}. Unset it to use what is there.")
    if kind != home:
        raise ConfigError(f"EPIGX_KERNEL={name} runs on {home} tensors alone, and these are on {kind}. Unset it.")
    return name
