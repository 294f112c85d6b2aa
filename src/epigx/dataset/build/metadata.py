"""Describes a dataset: its arrays, the table of genes, and the JSON about the arrays and their sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from epigx.dataset.build.pool import Build
from epigx.dataset.build.tasks import DigestTask, Task
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.regions import BLACKLIST, ElementInfo, RegionInfo, element_files, n_bytes, peak_file
from epigx.dataset.signals import SignalInfo
from epigx.dataset.store import Description, FeatureInfo, FileInfo, digest
from epigx.version import __version__

__all__ = ["Array", "add_columns", "arrays_of", "region_info", "write_metadata"]


class Array(NamedTuple):
    """Shape and type of an array."""

    shape: tuple[int, ...]
    dtype: str

    @property
    def n_bytes(self) -> int:
        """Size on disk without the header, in bytes."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def arrays_of(manifest: Manifest, window: int, n_genes: int) -> dict[str, Array]:
    """Return the arrays of a dataset by their paths in its folder."""
    arrays = {"sequence.npy": Array((n_genes, window), "uint8")}
    for cell_type in manifest.cell_types:
        arrays[f"signals/{cell_type}.npy"] = Array((n_genes, window, len(manifest.signals)), manifest.dtype)
    info = region_info(manifest)
    mask = Array((n_genes, n_bytes(window)), "uint8")
    arrays |= {peak_file(cell_type): mask for cell_type in info.peaks}
    arrays |= {BLACKLIST: mask} if info.blacklist else {}
    for cell_type in info.peaks if info.elements else ():
        assert info.elements is not None
        codes, features = element_files(cell_type)
        arrays[codes] = Array((n_genes, 1 + info.elements.count, info.elements.length), "uint8")
        arrays[features] = Array((n_genes, info.elements.count, 3), "float32")
    return arrays


def region_info(manifest: Manifest) -> RegionInfo:
    """Return the regions of a manifest's dataset."""
    source = manifest.elements
    return RegionInfo(
        peaks=tuple(cell_type for cell_type, cell in manifest.cell_types.items() if cell.peaks is not None),
        blacklist=manifest.blacklist is not None,
        elements=ElementInfo(count=source.count, reach=source.reach, length=source.length) if source else None,
    )


def add_columns(
    build: Build, tasks: Sequence[Task], genes: pd.DataFrame, columns: dict[str, NDArray[np.floating[Any]]]
) -> pd.DataFrame:
    """Return the genes with their features and labels, from tables (``columns``) and from the reports of tasks."""
    features = build.manifest.features
    per_cell = ["promoter_activity"] if features and features.promoter_activity else []
    cells = build.manifest.cell_types
    wanted = ["dna_coverage", *(features.columns if features else ())]
    wanted += [f"{name}:{cell_type}" for name in per_cell for cell_type in cells]
    wanted += [f"expression:{cell_type}" for cell_type in cells]
    found = {name: np.full(len(genes), np.nan) for name in wanted} | columns
    for task in tasks:
        if not isinstance(task, DigestTask):
            for name, values in (build.work.report(task.name) or {}).items():
                found[name][task.first : task.first + len(values)] = values
    kinds = {name: np.float32 if name.startswith("expression:") else np.float64 for name in wanted}
    return genes.assign(**{name: found[name].astype(kinds[name]) for name in wanted})


def write_metadata(build: Build, genes: pd.DataFrame) -> Description:
    """Write ``genes.parquet`` and ``dataset.json``, and return the content of the latter."""
    manifest, whole = build.manifest, build.work.whole
    # The metadata of pandas contain its version; the bytes must not depend on it.
    table = pa.Table.from_pandas(genes, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, whole / "genes.parquet", compression="zstd")
    sources = {file: _checksum(build, f"source-{number}") for number, file in enumerate(manifest.files())}
    names = arrays_of(manifest, build.window, len(genes))
    arrays = {name: _checksum(build, f"array-{number}") for number, name in enumerate(names)}
    about = Description(
        epigx=__version__,
        assembly=manifest.assembly,
        window=build.window,
        orient=manifest.orient,
        n_genes=len(genes),
        dtype=manifest.dtype,
        cell_types=tuple(manifest.cell_types),
        signals=tuple(
            SignalInfo(name=name, role=spec.role, transform=spec.transform, unit=spec.unit)
            for name, spec in manifest.signals.items()
        ),
        features=_features(manifest),
        split=manifest.split,
        regions=region_info(manifest),
        sources=sources,
        files={**arrays, "genes.parquet": digest(whole / "genes.parquet")},
    )
    (whole / "dataset.json").write_text(about.model_dump_json(indent=2) + "\n")
    return about


def _features(manifest: Manifest) -> tuple[FeatureInfo, ...]:
    """Return the features of a dataset, in order."""
    features = manifest.features
    if features is None:
        return ()
    infos = [FeatureInfo(name=name, transform=column.transform) for name, column in features.columns.items()]
    if features.promoter_activity:
        transform = features.promoter_activity.transform
        infos.append(FeatureInfo(name="promoter_activity", transform=transform, per_cell_type=True))
    return tuple(infos)


def _checksum(build: Build, task: str) -> FileInfo:
    """Return the report of a :class:`~epigx.dataset.build.tasks.DigestTask`."""
    return FileInfo.parse(build.work.report(task))
