"""The library sees addresses alone: nothing beside a tensor may be read or written, on either side."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable
from multiprocessing import get_context

import pytest
import torch
from torch import Tensor

from epigx.kernels import Direction
from epigx.kernels.cpu import library, matmul
from epigx.kernels.cpu.library import use_instruction_set

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(sys.platform != "linux", reason="pages are made forbidden as Linux does it"),
]

Draw = Callable[..., Direction]


def guarded(tensor: Tensor, *, after: bool) -> Tensor:
    """Copy a tensor between two pages that end the process when touched, right before one or right after one."""
    size, page = tensor.numel() * tensor.element_size(), mmap.PAGESIZE
    pages = -(-size // page)
    memory = mmap.mmap(-1, (pages + 2) * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    for at in (address, address + (pages + 1) * page):
        if protect(ctypes.c_void_p(at), ctypes.c_size_t(page), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = (pages + 1) * page - size if after else page
    own = torch.frombuffer(memory, dtype=tensor.dtype, count=tensor.numel(), offset=offset).view(tensor.shape)
    return own.copy_(tensor)


def ends(work: Callable[..., None], *arguments: object) -> int | None:
    """Run it in a process of its own and return the exit code."""
    context = get_context("forkserver")  # imports PyTorch once for all tests
    context.set_forkserver_preload(["epigx.kernels.cpu.matmul"])
    process = context.Process(target=work, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def touch(beyond: int) -> None:
    tensor = guarded(torch.zeros(10), after=True)
    ctypes.string_at(tensor.data_ptr() + beyond, 4)


def blocks(variant: str, parameters: list[list[Direction]]) -> None:
    torch.set_num_threads(1)
    with use_instruction_set(variant):
        for own in parameters:
            channels, flat = own[0].D.numel(), [p for direction in own for p in direction]
            for length in (1, 5, 33):
                for dtype in (torch.float32, torch.bfloat16):
                    for after in (False, True):
                        block(torch.randn(2, length, 2 * channels).to(dtype), flat, after=after)


def block(xz: Tensor, parameters: list[Tensor], *, after: bool) -> None:
    shape = library.Shape.of(xz, parameters)
    kept = [torch.zeros(size) for size in library.kept_sizes(shape)]
    out, d_out = torch.zeros(2, len(xz[0]), shape.channels).to(xz), torch.randn(2, len(xz[0]), shape.channels).to(xz)
    x, first, d_first, dx = (guarded(t, after=after) for t in (xz, out, d_out, torch.zeros_like(xz)))
    own = [guarded(p, after=after) for p in parameters]
    gradients = [guarded(torch.zeros_like(p), after=after) for p in parameters]
    rows, states = (guarded(t, after=after) for t in kept)
    library.forward(x, own, first, None)
    library.forward(x, own, first, (rows, states))
    library.backward(d_first, x, own, (rows, states), dx, gradients)


def products(variant: str) -> None:
    torch.set_num_threads(1)
    with use_instruction_set(variant):
        for rows in (1, 7, 97):
            for wide in (1, 17, 130):
                for out in (1, 5, 66):
                    for after in (False, True):
                        x, y, weight, bias = (
                            guarded(torch.randn(shape), after=after)
                            for shape in ((rows, wide), (rows, out), (out, wide), (out,))
                        )
                        matmul.forward_into(x, weight, bias, y)
                        matmul.backward_into(y, weight, x)
                        matmul.weight_gradient(y, x)


def test_a_forbidden_page_ends_the_process() -> None:
    assert ends(touch, 0) == 0
    assert ends(touch, 40) == -11


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_a_block(direction: Draw, variant: str) -> None:
    sizes = [(1, 1, 1, 1), (17, 16, 4, 8), (130, 16, 4, 3), (21, 5, 2, 9), (33, 4, 6, 1)]
    assert ends(blocks, variant, [[direction(*size, seed=seed) for seed in (0, 1)] for size in sizes]) == 0


@pytest.mark.parametrize("variant", ["avx512", "avx2", "baseline"])
def test_products(variant: str) -> None:
    assert ends(products, variant) == 0
