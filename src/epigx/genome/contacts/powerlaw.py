"""Contact as a power law of distance, with the constants of the ABC model.

pl(d) = exp(scale + intercept · γ) · (max(d, 5000) + 1)^-γ with γ = 0.87, scale = -4.80, intercept = 11.63.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64, Int64

__all__ = ["PowerLawContacts", "power_law", "pseudocount_of"]

_GAMMA = 0.87
_SCALE = -4.80 + 11.63 * _GAMMA
_NEAREST = 5_000
_PSEUDOCOUNT_DISTANCE = 1_000_000


def power_law(distance: Int64[np.ndarray, "*shape"] | int) -> Float64[np.ndarray, "*shape"]:
    """Return the expected contact at a distance in bp; constant below 5 kb.

    Examples
    --------
    >>> round(float(power_law(1_000_000)), 5)
    0.00123
    """
    return np.asarray(np.exp(_SCALE - _GAMMA * np.log(np.maximum(distance, _NEAREST) + 1.0)))


class PowerLawContacts:
    """Expected contacts without Hi-C data: :func:`power_law` of the distance from the TSS."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.chromosomes: dict[str, int | None] | None = None

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the expected contact of each base with the TSS (see :class:`~.contacts.Contacts`)."""
        contacts = np.empty((len(starts), length), dtype=np.float32)
        for row, offset in enumerate(np.asarray(starts) - np.asarray(tss)):
            contacts[row] = power_law(np.abs(offset + np.arange(length)))
        return contacts


def pseudocount_of(contacts: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Return the pseudocount of the ABC model, min(pl(d), pl(1 Mb)), from power-law contacts pl(d)."""
    return np.asarray(np.minimum(contacts, np.float32(power_law(_PSEUDOCOUNT_DISTANCE))))
