"""Loads the compiled library and calls it on tensors, through ctypes and a C interface (c_api.hpp)."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch  # before the library: both then share one OpenMP runtime
from torch import Tensor

from epigx.kernels.cpu.build import COMPILERS, LIBRARY, source_hash
from epigx.kernels.params import Direction

__all__ = [
    "NOTHING_KEPT",
    "Shape",
    "addresses",
    "backward",
    "call",
    "check",
    "description",
    "forward",
    "kept_sizes",
    "like",
    "missing",
    "new_gradients",
    "use_instruction_set",
]

NOTHING_KEPT = "The forward pass kept nothing for the backward pass, because it was traced without gradients."

_WIDTH = len(Direction._fields)
_PATH = Path(__file__).with_name(LIBRARY)


class Shape(NamedTuple):
    """The sizes of a call, which determine the shapes of all tensors."""

    batch: int
    length: int
    channels: int
    state: int
    taps: int
    rank: int
    directions: int

    @classmethod
    def of(cls, xz: Tensor, parameters: Sequence[Tensor]) -> Shape:
        """Check and return the sizes; `parameters` are those of one direction, or of two one after the other."""
        shape = cls.with_parameters(xz.shape[0], xz.shape[1], parameters)._replace(channels=xz.shape[2] // 2)
        for first in range(0, len(parameters), _WIDTH):
            own = zip(Direction._fields, parameters[first : first + _WIDTH], shape.parameters(), strict=True)
            check(xz, "xz", **{name: (tensor, want) for name, tensor, want in own})
        return shape

    @classmethod
    def with_parameters(cls, batch: int, length: int, parameters: Sequence[Tensor]) -> Shape:
        """Return the sizes for a number and length of windows; the others are those of the parameters."""
        first = Direction(*parameters[:_WIDTH])
        channels, taps = first.conv_weight.shape
        return cls(batch, length, channels, first.d_state, taps, first.dt_rank, len(parameters) // _WIDTH)

    def parameters(self) -> tuple[tuple[int, ...], ...]:
        """Return the shape of each field of a :class:`~epigx.kernels.Direction`."""
        D, N, R = self.channels, self.state, self.rank
        return (D, self.taps), (D,), (R + 2 * N, D), (D, R), (D,), (D, N), (D,)


class _Shape(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("batch", "length")),
        *((name, ctypes.c_int32) for name in ("channels", "state", "taps", "rank", "directions")),
        *((name, ctypes.c_int32) for name in ("bfloat16", "threads")),
    ]


class _Pointers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in Direction._fields]


class _Kept(ctypes.Structure):
    _fields_ = [("projected", ctypes.c_int64), ("states", ctypes.c_int64)]


@cache
def _open() -> ctypes.CDLL | str:
    if not _PATH.exists():
        if any(map(shutil.which, COMPILERS)):
            return "it was not built when epigx was installed; a C++ compiler is available now, so reinstall epigx"
        return "it was not built because no C++ compiler was found; install one (g++ or clang++), then reinstall epigx"
    try:
        opened = ctypes.CDLL(str(_PATH))
    except OSError as error:
        return f"it cannot be loaded ({error}); reinstall epigx"
    opened.epigx_sources.restype = ctypes.c_char_p
    opened.epigx_instruction_set.restype = ctypes.c_char_p
    opened.epigx_use.restype = ctypes.c_bool
    opened.epigx_has_threads.restype = ctypes.c_bool
    opened.epigx_forward.argtypes = [ctypes.c_void_p] * 6
    opened.epigx_backward.argtypes = [ctypes.c_void_p] * 8
    if opened.epigx_sources().decode() != source_hash():
        return "its sources have changed since it was built; run `make native`"
    return opened


def missing() -> str | None:
    """Return why the library cannot be used, or None if it can."""
    opened = _open()
    return opened if isinstance(opened, str) else None


def _library() -> ctypes.CDLL:
    opened = _open()
    if isinstance(opened, str):
        raise RuntimeError(f"The C++ kernel was called, but {opened}.")
    return opened


def description() -> str:
    """Return the variant in use (avx512, avx2, or baseline for SSE2 and NEON), and whether it is single-threaded."""
    threads = "" if _library().epigx_has_threads() else ", single-threaded because its compiler had no OpenMP"
    return f"{_instruction_set()}{threads}"


def _instruction_set() -> str:
    name: bytes = _library().epigx_instruction_set()
    return name.decode()


@contextmanager
def use_instruction_set(name: str) -> Iterator[bool]:
    """Use another variant inside a `with` block, for tests and benchmarks; yields False if the CPU cannot run it."""
    before = _instruction_set()
    try:
        yield _library().epigx_use(name.encode())
    finally:
        _library().epigx_use(before.encode())


def kept_sizes(shape: Shape) -> tuple[int, int]:
    """Return the floats that the forward pass keeps: of projected rows, and of states at the start of chunks."""
    kept = _Kept()
    _library().epigx_kept(ctypes.byref(_shape(shape, torch.float32)), ctypes.byref(kept))
    return kept.projected, kept.states


def forward(xz: Tensor, parameters: Sequence[Tensor], out: Tensor, kept: tuple[Tensor, Tensor] | None) -> None:
    """Fill `out`, and `kept` for the backward pass if given; all tensors must be contiguous."""
    shape = _shape(Shape.of(xz, parameters), xz.dtype)
    projected, states = (tensor.data_ptr() for tensor in kept) if kept else (None, None)
    addresses = xz.data_ptr(), _pointers(parameters), out.data_ptr(), projected, states
    _library().epigx_forward(ctypes.byref(shape), *addresses)


def backward(
    d_out: Tensor,
    xz: Tensor,
    parameters: Sequence[Tensor],
    kept: tuple[Tensor, Tensor],
    d_xz: Tensor,
    gradients: Sequence[Tensor],
) -> None:
    """Fill `d_xz` and the parameter `gradients`; all tensors must be contiguous."""
    shape = _shape(Shape.of(xz, parameters), xz.dtype)
    addresses = d_out.data_ptr(), xz.data_ptr(), _pointers(parameters), *(tensor.data_ptr() for tensor in kept)
    _library().epigx_backward(ctypes.byref(shape), *addresses, d_xz.data_ptr(), _pointers(gradients))


def _shape(shape: Shape, dtype: torch.dtype) -> _Shape:
    return _Shape(*shape, bfloat16=dtype == torch.bfloat16, threads=torch.get_num_threads())


def _pointers(tensors: Sequence[Tensor]) -> ctypes.Array[_Pointers]:
    rows = [_Pointers(*(t.data_ptr() for t in tensors[i : i + _WIDTH])) for i in range(0, len(tensors), _WIDTH)]
    return (_Pointers * len(rows))(*rows)


def call(function: str, arguments: ctypes.Structure) -> None:
    """Call a function of a stand-alone operator, which takes one structure (c_api.hpp)."""
    getattr(_library(), function)(ctypes.byref(arguments))


def addresses(tensors: Mapping[str, Tensor | None]) -> dict[str, int | None]:
    """Return the addresses of contiguous tensors as fields of a structure; None stays None."""
    return {name: None if tensor is None else tensor.data_ptr() for name, tensor in tensors.items()}


def like(x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Allocate a contiguous tensor of the shape of another one."""
    return torch.empty_like(x, dtype=dtype, memory_format=torch.contiguous_format)


def new_gradients(inputs: Sequence[Tensor], d_out: Tensor) -> list[Tensor]:
    """Allocate the gradients that a backward pass fills; zeros for an output without elements, which fills none."""
    return [like(x) if d_out.numel() else torch.zeros_like(x) for x in inputs]


def check(first: Tensor, name: str, **others: tuple[Tensor, tuple[int, ...]]) -> None:
    """Check the shapes of tensors, and that they are on the device of the first one.

    Raises
    ------
    ValueError
        A shape or a device does not match. The library cannot check this, as it only receives addresses.
    """
    for own, (tensor, want) in others.items():
        if tuple(tensor.shape) != tuple(want):
            raise ValueError(f"{own} has the shape {tuple(tensor.shape)}, but the other tensors need {tuple(want)}.")
        if tensor.device != first.device:
            raise ValueError(f"{own} is on {tensor.device}, but {name} is on {first.device}.")
