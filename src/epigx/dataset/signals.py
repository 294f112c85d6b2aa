"""Signals: what a channel is called, what it is taken to be in the causal model, and how its raw values are scaled.

A dataset keeps raw values; a transform is applied when a window is read, so another one can be tried without building
again.
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
"""How raw values are scaled on load: as they are, ln(1 + x), log10(1 + x), √x, or asinh(x)."""

_Values = TypeVar("_Values", np.float32, np.float64)

_FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "asinh": np.arcsinh,
}


class SignalInfo(Config):
    """One channel of a dataset."""

    name: str
    """The name by which a run asks for it (``h3k27ac``)."""
    role: Role
    """Its place in the causal model."""
    transform: Transform = "none"
    """The transform that a run applies unless told otherwise."""
    unit: str = ""
    """What a value means (``fold change``, ``contacts``); shown to people, never computed with."""


def forbids_negative(transform: Transform) -> bool:
    """Say whether a transform is defined for values ≥ 0 alone."""
    return transform in ("log1p", "log10p1", "sqrt")


def apply_transform(values: NDArray[_Values], transform: Transform) -> NDArray[_Values]:
    """Scale raw values.

    Parameters
    ----------
    values : ndarray of float32 or float64, any shape
        Raw values without NaN.
    transform : Transform
        The scaling; ``"none"`` returns ``values`` themselves.

    Returns
    -------
    ndarray
        Same shape and type.

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
        raise InputError(f"The transform {transform!r} cannot take the negative value {lowest:g}. Use asinh or none.")
    if transform == "log10p1":
        scaled = np.log1p(values)
        scaled *= scaled.dtype.type(1 / np.log(10))
        return scaled
    scaled = _FUNCTIONS[transform](values)
    return scaled
