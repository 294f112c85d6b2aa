"""Checks of the features: how many the dataset will have, which genes lack a value, and implausible values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.gene_table import FeatureSource, implausible, is_measured
from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.validate.problem import Problems, counted, listed

__all__ = ["check_feature_table", "count_features"]


def count_features(manifest: Manifest, problems: Problems) -> None:
    """Report how many features the dataset will have and where they come from."""
    features = manifest.features
    names = list(features.columns) if features else []
    origins = [f"{listed(names)} from {features.file}"] if features and names else []
    if features and features.promoter_activity:
        activity = features.promoter_activity
        names.append("promoter_activity")
        origins.append(f"promoter_activity from the signals {activity.h3k27ac} and {activity.accessibility}")
    if names:
        problems.notice("features", f"the dataset will have {counted(len(names), 'feature')}: {'; '.join(origins)}.")
        return
    gtf = manifest.genes.lower().removesuffix(".gz").endswith(".gtf")
    source = manifest.genes if gtf else "TABLE.tsv"
    why = "" if gtf else f" {manifest.genes} gives the genes only."
    problems.warning(
        "features",
        f"the dataset will have 0 features per gene.{why} Add them if your model should use them: "
        f"`features: {{file: {source}, columns: {{cds_length: log10zscore}}}}` in the manifest, with a GTF or a table "
        "of genes as file.",
    )


def check_feature_table(
    readers: Readers, genes: pd.DataFrame, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Find features that are absent or implausible; ``sizes`` is None if the genome cannot be read."""
    features = readers.manifest.features
    if not features or not features.file or features.file in missing:
        return
    with problems.catching(features.file):
        wanted = [column.column or name for name, column in features.columns.items()]
        genome = None if sizes is None else readers.genome
        source = FeatureSource(readers.manifest.locate(features.file), wanted, genome)
        for name, column in zip(features.columns, wanted, strict=True):
            with problems.catching(features.file):
                if genome is not None or not is_measured(column):
                    values = source.values(column, genes["gene_id"].tolist())
                    _check_values(readers, genes, name, values, problems)


def _check_values(
    readers: Readers, genes: pd.DataFrame, name: str, values: NDArray[np.float64], problems: Problems
) -> None:
    """Report missing and implausible values of one feature, float64 (gene,)."""
    features = readers.manifest.features
    assert features is not None
    file, column = str(features.file), features.columns[name]
    absent = int(np.isnan(values).sum())
    if absent == len(genes):
        problems.error(file, f"no gene has a {name}. Use the same gene identifiers as {readers.manifest.genes}.")
    elif absent:
        problems.warning(
            file,
            f"{counted(absent, 'gene')} of {len(genes):,} without {name}: models get the mean of the training genes "
            "instead. Add the values if you have them.",
        )
    wrong = np.flatnonzero(implausible(values, column))
    if len(wrong):
        shown = ", ".join(f"{values[row]:g} of {genes['gene_id'].iloc[row]}" for row in wrong[:3])
        problems.warning(
            file,
            f"{name} cannot be {shown} ({counted(len(wrong), 'such value')}): `epigx build` treats it as missing. "
            f"Correct it, or set `minimum` and `maximum` of {name} in the manifest.",
        )
