"""The contact map of a cell type, as an .mcool file with two resolutions."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from epigx.simulator.annotation import Annotation
from epigx.simulator.causes import CellState
from epigx.simulator.settings import Simulation

__all__ = ["CONTACT_BACKGROUND", "RESOLUTIONS", "draw_pixels", "write_mcool"]

RESOLUTIONS = (5_000, 10_000)
REACH = 200_000  # bp; more distant pairs of bins stay empty
DEPTH = 80.0  # expected count of a bin with itself at C = 0
DECAY = 0.87  # the ABC model's exponent of distance
CONTACT_BACKGROUND = 0.6  # ln contact per standard deviation of C
VISIBILITY = 0.4  # standard deviation of ln contact between bins without a cause


def draw_pixels(settings: Simulation, annotation: Annotation, state: CellState, cell: str) -> pd.DataFrame:
    """Draw contact counts at the finest resolution.

    The count of bins i and j of a chromosome is Poisson with mean
    ``DEPTH · (1 + |i - j|)^-DECAY · exp((v_i + v_j) / 2)``, where ``v = CONTACT_BACKGROUND · C + VISIBILITY · noise``
    of a bin: background increases the contacts of its neighbourhood; F and E have no effect on them.

    Returns
    -------
    DataFrame
        bin1_id ≤ bin2_id (over all chromosomes, in the order of the annotation) and count > 0, sorted.
    """
    pixels: list[pd.DataFrame] = []
    first = 0
    for chrom, size in annotation.sizes.items():
        n = -(-size // RESOLUTIONS[0])
        rng = settings.stream("contacts", chrom, cell)
        middle = np.minimum((np.arange(n) + 0.5) * RESOLUTIONS[0], size)
        visible = CONTACT_BACKGROUND * state.background.at(chrom, middle) + VISIBILITY * rng.normal(size=n)
        i, distance = np.meshgrid(np.arange(n), np.arange(REACH // RESOLUTIONS[0]), indexing="ij")
        inside = i + distance < n
        i, j = i[inside], (i + distance)[inside]
        mean = DEPTH * (1.0 + j - i) ** -DECAY * np.exp((visible[i] + visible[j]) / 2)
        count = rng.poisson(mean)
        seen = count > 0
        pixels.append(pd.DataFrame({"bin1_id": first + i[seen], "bin2_id": first + j[seen], "count": count[seen]}))
        first += n
    return pd.concat(pixels, ignore_index=True)


def write_mcool(path: Path, sizes: dict[str, int], pixels: pd.DataFrame) -> None:
    """Write pixels of the finest resolution, and their sums at the coarser ones, as a multi-resolution cooler.

    This uses h5py and the cooler schema, version 3 (https://cooler.readthedocs.io/en/latest/schema.html): the cooler
    library would store the time of writing, but the same seed must give the same bytes.
    """
    with h5py.File(path, "w", libver="earliest") as file:
        file.attrs.update({"format": "HDF5::MCOOL", "format-version": 2, "bin-type": "fixed", "simulated": True})
        for resolution in RESOLUTIONS:
            group = file.create_group(f"resolutions/{resolution}")
            _write_cooler(group, sizes, resolution, _coarsen(pixels, sizes, resolution // RESOLUTIONS[0]))


def _coarsen(pixels: pd.DataFrame, sizes: dict[str, int], factor: int) -> pd.DataFrame:
    if factor == 1:
        return pixels
    coarse = _first_bins(sizes, RESOLUTIONS[0] * factor)
    fine = _first_bins(sizes, RESOLUTIONS[0])
    chrom = np.searchsorted(fine, pixels["bin1_id"], side="right") - 1
    mapped = {name: coarse[chrom] + (pixels[name] - fine[chrom]) // factor for name in ("bin1_id", "bin2_id")}
    return pixels.assign(**mapped).groupby(["bin1_id", "bin2_id"], as_index=False).agg({"count": "sum"})


def _first_bins(sizes: dict[str, int], resolution: int) -> np.ndarray:
    """Return the id of each chromosome's first bin and, at the end, the number of bins, int64 (chromosomes + 1,)."""
    return np.cumsum([0, *(-(-size // resolution) for size in sizes.values())])


def _write_cooler(group: h5py.Group, sizes: dict[str, int], resolution: int, pixels: pd.DataFrame) -> None:
    first = _first_bins(sizes, resolution)
    n_bins = int(first[-1])
    chrom = np.repeat(np.arange(len(sizes)), np.diff(first))
    start = (np.arange(n_bins) - first[chrom]) * resolution
    lengths = np.array(list(sizes.values()))
    total = int(pixels["count"].sum())
    group.attrs.update(
        {
            "format": "HDF5::Cooler",
            "format-version": 3,
            "bin-type": "fixed",
            "bin-size": resolution,
            "storage-mode": "symmetric-upper",
            "genome-assembly": "simulated",
            "generated-by": "epigx simulator",
            "nchroms": len(sizes),
            "nbins": n_bins,
            "nnz": len(pixels),
            "sum": total,
            "cis": total,
        }
    )
    columns = {
        "chroms/name": np.array(list(sizes), dtype="S"),
        "chroms/length": lengths.astype(np.int32),
        "bins/chrom": chrom.astype(np.int32),
        "bins/start": start.astype(np.int32),
        "bins/end": np.minimum(start + resolution, lengths[chrom]).astype(np.int32),
        "pixels/bin1_id": pixels["bin1_id"].to_numpy(np.int64),
        "pixels/bin2_id": pixels["bin2_id"].to_numpy(np.int64),
        "pixels/count": pixels["count"].to_numpy(np.int32),
        "indexes/chrom_offset": first.astype(np.int64),
        "indexes/bin1_offset": np.searchsorted(pixels["bin1_id"], np.arange(n_bins + 1)).astype(np.int64),
    }
    for name, values in columns.items():
        group.create_dataset(name, data=values, compression="gzip", shuffle=True)
