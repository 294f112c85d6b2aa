"""The end of a build: the table of genes, and the JSON that tells what the arrays mean and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from epigx.dataset.manifest import Manifest
from epigx.dataset.pool import Build
from epigx.dataset.regions import BLACKLIST, RegionInfo, peak_file
from epigx.dataset.signals import SignalInfo
from epigx.dataset.store import Description, FeatureInfo, FileInfo, digest
from epigx.dataset.tasks import DigestTask, Task
from epigx.version import __version__

__all__ = ["array_files", "complete", "describe", "region_info"]


def array_files(manifest: Manifest) -> list[str]:
    """Return the dataset's arrays, as paths in its folder."""
    names = ["sequence.npy", *(f"signals/{cell_type}.npy" for cell_type in manifest.cell_types)]
    names += [peak_file(cell_type) for cell_type in region_info(manifest).peaks]
    return names + ([BLACKLIST] if manifest.blacklist else [])


def region_info(manifest: Manifest) -> RegionInfo:
    """Return which regions a dataset of the manifest holds."""
    with_peaks = (cell_type for cell_type, cell in manifest.cell_types.items() if cell.peaks is not None)
    return RegionInfo(peaks=tuple(with_peaks), blacklist=manifest.blacklist is not None)


def complete(
    build: Build, tasks: Sequence[Task], genes: pd.DataFrame, columns: dict[str, NDArray[np.floating[Any]]]
) -> pd.DataFrame:
    """Add to the genes what tables and tasks say of them, in the order of the format."""
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


def describe(build: Build, genes: pd.DataFrame) -> None:
    """Write ``genes.parquet`` and ``dataset.json``."""
    manifest, whole = build.manifest, build.work.whole
    # pandas' own metadata names its version, on which the bytes should not depend.
    table = pa.Table.from_pandas(genes, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, whole / "genes.parquet", compression="zstd")
    sources = {file: _checksum(build, f"source-{number}") for number, file in enumerate(manifest.files())}
    arrays = {name: _checksum(build, f"array-{number}") for number, name in enumerate(array_files(manifest))}
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


def _features(manifest: Manifest) -> tuple[FeatureInfo, ...]:
    features = manifest.features
    if features is None:
        return ()
    infos = [FeatureInfo(name=name, transform=column.transform) for name, column in features.columns.items()]
    if features.promoter_activity:
        transform = features.promoter_activity.transform
        infos.append(FeatureInfo(name="promoter_activity", transform=transform, per_cell_type=True))
    return tuple(infos)


def _checksum(build: Build, task: str) -> FileInfo:
    return FileInfo.parse(build.work.report(task))
