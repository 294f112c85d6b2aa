"""Signals: their names, their roles in the causal model, and the scaling of their raw values.

A dataset stores raw values and transforms them when a window is read, so you can try another transform without a new
build.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from epigx.config import Config
from epigx.errors import InputError

__all__ = ["Role", "SignalInfo", "Transform", "apply_transform", "forbids_negative"]

Role = Literal["foreground", "background"]
"""``foreground``: regulates expression directly (H3K27ac in the paper); ``background``: may confound (DNase, Hi-C)."""

Transform = Literal["none", "log1p", "log10p1", "sqrt", "asinh"]
"""Scaling of raw values on load: none, ln(1 + x), log10(1 + x), √x, or asinh(x)."""

_Values = TypeVar("_Values", np.float32, np.float64)

_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "asinh": np.arcsinh,
}


class SignalInfo(Config):
    """One signal of a dataset."""

    name: str
    """Name of the signal in configurations (``h3k27ac``)."""
    role: Role
    """Its role in the causal model."""
    transform: Transform = "none"
    """The default transform."""
    unit: str = ""
    """Unit of the values (``fold change``, ``contacts``), for display only."""


def forbids_negative(transform: Transform) -> bool:
    """Return whether a transform needs values ≥ 0."""
    return transform in ("log1p", "log10p1", "sqrt")


def apply_transform(values: NDArray[_Values], transform: Transform) -> NDArray[_Values]:
    """Scale raw values without NaN, of any shape; ``"none"`` returns ``values`` themselves.

    Raises
    ------
    InputError
        A value is negative and the transform is a logarithm or a root.

    Examples
    --------
    >>> apply_transform(np.array([0.0, 9.0, 99.0]), "log10p1")
    array([0., 1., 2.])
    """
    if transform == "none":
        return values
    if forbids_negative(transform) and values.size and (lowest := values.min()) < 0:
        raise InputError(f"The transform {transform!r} needs values of 0 or more, not {lowest:g}. Use asinh or none.")
    if transform == "log10p1":
        scaled = np.log1p(values)
        scaled *= scaled.dtype.type(1 / np.log(10))
        return scaled
    scaled = _FUNCTIONS[transform](values)
    return scaled
