"""Chooses the kernel: the fastest available one, unless the user names one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, NamedTuple, cast, get_args

import torch

from epigx.errors import ConfigError, did_you_mean
from epigx.kernels import cpu, cuda

__all__ = ["KernelChoice", "KernelName", "kernel", "kernel_in_use"]

KernelName = Literal["native", "cuda", "torch", "reference"]

_asked: ContextVar[str | None] = ContextVar("epigx_kernel", default=None)


class KernelChoice(NamedTuple):
    """The kernel in use."""

    name: KernelName
    """`native` (C++, CPU), `cuda` (mamba-ssm), `torch` (plain PyTorch, any device) or `reference` (tests)."""
    why: str
    """The reason, and how to get a faster kernel, in one or two sentences."""


def kernel_in_use(device: torch.device | str) -> KernelChoice:
    """Return the kernel in use on a device.

    Raises
    ------
    ConfigError
        `EPIGX_KERNEL` names a kernel that does not exist, is not installed, or does not run on the device.
    """
    kind = torch.device(device).type
    asked = _asked.get() or os.environ.get("EPIGX_KERNEL")
    if asked:
        name = _check(asked, kind)
        return KernelChoice(name, f"Set by EPIGX_KERNEL={asked}{_price(name, kind)}.")
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
        return KernelChoice("torch", f"Plain PyTorch: {reason}. For a faster kernel, run `pip install mamba-ssm`.")
    return KernelChoice("torch", f"Plain PyTorch is the only kernel for the device type {kind!r}.")


@contextmanager
def kernel(name: KernelName) -> Iterator[None]:
    """Use a given kernel inside a `with` block, like `EPIGX_KERNEL` for a whole process.

    Raises
    ------
    ConfigError
        At the first kernel call inside the block, for the same reasons as :func:`kernel_in_use`.
    """
    token = _asked.set(name)
    try:
        yield
    finally:
        _asked.reset(token)


def _price(name: KernelName, kind: str) -> str:
    """Describe how slow the kernel is compared with the default one."""
    if name == "torch" and kind == "cpu":
        return f": plain PyTorch, about {cpu.SPEEDUP} times slower than epigx's C++ kernel"
    if name == "torch" and kind == "cuda":
        return ": plain PyTorch, slower than mamba-ssm's kernel"
    return ": the step-by-step reference, which is for tests and the slowest kernel" if name == "reference" else ""


def _check(asked: str, kind: str) -> KernelName:
    names = get_args(KernelName)
    if asked not in names:
        raise ConfigError(f"EPIGX_KERNEL={asked} is not a kernel.{did_you_mean(asked, names)}")
    name = cast(KernelName, asked)
    homes = {"native": ("cpu", cpu.missing), "cuda": ("cuda", cuda.missing)}
    if name not in homes:
        return name
    home, missing = homes[name]
    if (reason := missing()) is not None:
        raise ConfigError(f"EPIGX_KERNEL={name} cannot be used: {reason}. Unset it to use an available kernel.")
    if kind != home:
        raise ConfigError(f"EPIGX_KERNEL={name} runs only on {home} tensors, but these are on {kind}. Unset it.")
    return name
