"""Hi-C matrices (.hic, .cool, .mcool). For each chromosome, a band along the diagonal is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from epigx.errors import ConfigError, InputError, did_you_mean
from epigx.genome.chromosomes import require_chromosome

__all__ = ["MatrixContacts"]


class MatrixContacts:
    """A Hi-C matrix (.hic, .cool, .mcool), read up to a distance of ``band`` bp from the TSS, one chromosome at a time.

    Whole bands are read for speed: one query per gene is several times slower for .cool and 80 times slower for .hic.
    The normalization is named as in the file; ``NONE`` for raw counts.

    Raises
    ------
    InputError
        The file is missing, damaged or of another format, or lacks the resolution or normalization.
    ConfigError
        A number is out of range.
    """

    def __init__(self, path: Path, *, resolution: int, normalization: str, band: int) -> None:
        for name, value, minimum in (("resolution", resolution, 1), ("band", band, 0)):
            if value < minimum:
                raise ConfigError(f"{name} is {value}. Choose {minimum} bp or more.")
        self.path: Path | None = path
        self._options = (path, resolution, normalization, band)
        self._resolution, self._normalization = resolution, normalization
        self._width = -(-band // resolution) + 1
        self._file = _open(path, resolution)
        self.chromosomes: dict[str, int | None] | None = dict(self._file.chromosomes())
        known = ["NONE", *self._file.avail_normalizations()]
        if normalization not in known:
            raise InputError(f"{path} has no normalization {normalization!r}.{did_you_mean(normalization, known)}")
        self._current: tuple[str, Any] = ("", None)

    def __reduce__(self) -> tuple[Any, tuple[Path, int, str, int]]:
        return _reopen, self._options

    def profile(
        self, chrom: str, tss: Int64[np.ndarray, " n"], starts: Int64[np.ndarray, " n"], length: int
    ) -> Float32[np.ndarray, "n length"]:
        """Return the contact between the bins of each base and of the TSS (see :class:`~.contacts.Contacts`)."""
        sizes = self.chromosomes or {}
        name = require_chromosome(chrom, sizes, self._options[0])
        size = sizes[name] or 0
        tss, starts = np.asarray(tss, dtype=np.int64), np.asarray(starts, dtype=np.int64)
        outside = tss[(tss < 0) | (tss >= size)]
        if len(outside):
            raise InputError(
                f"{self.path}: the TSS at base {outside[0]} is outside {name} ({size:,} bp). "
                "Use files of the same assembly."
            )
        bins = starts[:, None] // self._resolution + np.arange((length - 1) // self._resolution + 2)
        contacts = self._contacts(name, tss // self._resolution, bins)
        left = np.maximum(bins * self._resolution, starts[:, None])
        right = np.minimum(np.minimum((bins + 1) * self._resolution, size), starts[:, None] + length)
        return _paint(contacts, left - starts[:, None], right - starts[:, None], length)

    def _contacts(
        self, name: str, tss: Int64[np.ndarray, " n"], bins: Int64[np.ndarray, "n bins"]
    ) -> Float32[np.ndarray, "n bins"]:
        band = self._band(name)
        known = (bins >= 0) & (bins < band.shape[0]) & (np.abs(bins - tss[:, None]) < self._width)
        pairs = np.stack([np.broadcast_to(tss[:, None], bins.shape)[known], bins[known]])
        contacts = np.zeros(bins.shape, dtype=np.float32)
        # Only the upper triangle is stored: row bin <= column bin.
        contacts[known] = np.nan_to_num(np.asarray(band[pairs.min(axis=0), pairs.max(axis=0)]).ravel())
        return contacts

    def _band(self, name: str) -> Any:
        """Return the upper triangle of a chromosome within the band, as a sparse matrix."""
        if self._current[0] != name:
            try:
                pixels = self._file.fetch(
                    name, normalization=self._normalization, count_type="float64", diagonal_band_width=self._width
                )
                self._current = (name, pixels.to_csr())
            except RuntimeError as error:
                raise InputError(
                    f"{self.path} cannot be read at {name}: {_first_line(error)}. "
                    "The file is damaged; download it again."
                ) from None
        return self._current[1]


def _reopen(path: Path, resolution: int, normalization: str, band: int) -> MatrixContacts:
    return MatrixContacts(path, resolution=resolution, normalization=normalization, band=band)


def _open(path: Path, resolution: int) -> Any:
    import hictkpy

    if not path.is_file():
        raise InputError(f"{path} does not exist. Check its path.")
    try:
        return hictkpy.File(str(path), resolution)
    except RuntimeError as error:
        if offered := _resolutions(path):
            available = ", ".join(f"{bp:,}" for bp in offered)
            raise InputError(
                f"{path} has no contacts at a resolution of {resolution:,} bp. "
                f"Set the resolution to one of: {available}."
            ) from None
        raise InputError(
            f"{path} cannot be read as .hic, .cool or .mcool: {_first_line(error)}. "
            "Check its kind, or download it again."
        ) from None


def _resolutions(path: Path) -> list[int]:
    """Return the bin sizes of a file in bp; an empty list if it cannot be read."""
    import hictkpy

    try:
        return [int(bp) for bp in hictkpy.MultiResFile(str(path)).resolutions()]
    except RuntimeError:
        pass
    try:
        return [int(hictkpy.File(str(path)).resolution())]
    except RuntimeError:
        return []


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(":. ")


def _paint(
    values: Float32[np.ndarray, "n bins"],
    left: Int64[np.ndarray, "n bins"],
    right: Int64[np.ndarray, "n bins"],
    length: int,
) -> Float32[np.ndarray, "n length"]:
    """Repeat the value of each bin over its bases in the window; the remaining bases are 0."""
    counts = np.maximum(right - left, 0)
    counts = np.column_stack([counts, length - counts.sum(axis=1)])
    values = np.column_stack([values, np.zeros(len(values), dtype=np.float32)])
    return np.repeat(values.ravel(), counts.ravel()).reshape(len(values), length)
