"""Checks a manifest and its files before a build, and reports all problems at once."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from epigx.dataset.build.gene_table import select_genes
from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.validate.features import check_feature_table, count_features
from epigx.dataset.validate.genes import check_genes, check_labels
from epigx.dataset.validate.problem import Problem, Problems, counted
from epigx.dataset.validate.regions import NOT_A_TRACK, check_regions
from epigx.dataset.validate.signals import check_cage, check_signals
from epigx.dataset.window_grid import check_length
from epigx.errors import InputError, did_you_mean

__all__ = ["Problem", "check", "refuse_errors"]


def check(manifest: Manifest, window: int) -> list[Problem]:
    """Report every problem of a manifest and its files.

    The check opens all files, compares their chromosomes with the genome's, reads the tables and samples the tracks at
    some TSSs. It writes nothing.

    Parameters
    ----------
    manifest : Manifest
        The inputs.
    window : int
        Window length of the planned build, in bp.

    Returns
    -------
    list of Problem
        Errors first, then warnings, then notices.

    Raises
    ------
    ConfigError
        The window is odd or below 2.
    """
    check_length(window)
    problems = Problems(manifest.root)
    readers = Readers(manifest, window)
    _check_names(manifest, problems)
    count_features(manifest, problems)
    missing = _check_files(manifest, problems)
    sizes, genes = _open_genes(readers, missing, problems)
    if genes is not None:
        if sizes is not None:
            check_genes(readers, genes, problems)
        check_feature_table(readers, genes, sizes, missing, problems)
        check_labels(readers, genes, missing, problems)
    check_signals(readers, genes, sizes, missing, problems)
    check_cage(readers, genes, sizes, missing, problems)
    check_regions(readers, genes, sizes, missing, problems)
    order = ("error", "warning", "notice")
    return sorted(problems, key=lambda problem: order.index(problem.level))


def refuse_errors(manifest: Manifest, window: int) -> list[Problem]:
    """Raise the first error that :func:`check` finds, with the number of the others; without one, return its result."""
    problems = check(manifest, window)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        others = counted(len(errors) - 1, "more error")
        more = f" {others} found: `epigx check` lists all." if len(errors) > 1 else ""
        raise InputError(f"{errors[0].where}: {errors[0].message}{more}")
    return problems


def _check_names(manifest: Manifest, problems: Problems) -> None:
    """Check that every name of a signal in the manifest is defined under ``signals``."""
    for cell_type, cell in manifest.cell_types.items():
        for name in manifest.signals:
            if name not in cell.signals:
                problems.error(cell_type, f"the signal {name!r} has no file. Add one, or remove {name} from `signals`.")
        for name in cell.signals:
            if name not in manifest.signals:
                problems.error(
                    cell_type, f"there is no signal {name!r} in `signals`.{did_you_mean(name, manifest.signals)}"
                )
        if cell.expression is None:
            problems.notice(cell_type, "it has no `expression`, so it can only be predicted.")
    activity = manifest.features.promoter_activity if manifest.features else None
    for name in (activity.h3k27ac, activity.accessibility) if activity else ():
        if name not in manifest.signals:
            choice = did_you_mean(name, manifest.signals)
            problems.error("promoter_activity", f"there is no signal {name!r} in `signals`.{choice}")
        elif any(name in cell.signals and cell.signals[name].is_contact for cell in manifest.cell_types.values()):
            problems.error("promoter_activity", f"the signal {name!r} is {NOT_A_TRACK}")


def _check_files(manifest: Manifest, problems: Problems) -> set[str]:
    """Report files of the manifest that do not exist, and return them."""
    missing = set()
    for file in manifest.files():
        path = manifest.locate(file)
        if not path.is_file():
            missing.add(file)
            what = "it is a folder" if path.is_dir() else "the file does not exist"
            relative = "" if Path(file).is_absolute() else " (relative to the manifest or its `root`)"
            problems.error(file, f"{what}. Fix the path in the manifest{relative} or download the file.")
    return missing


def _open_genes(
    readers: Readers, missing: set[str], problems: Problems
) -> tuple[dict[str, int] | None, pd.DataFrame | None]:
    """Return the genome's chromosome lengths and the genes; None for a file that cannot be read."""
    manifest = readers.manifest
    sizes, genes = None, None
    if manifest.genome not in missing:
        with problems.catching(manifest.genome):
            sizes = readers.genome.sizes
    if manifest.genes not in missing:
        with problems.catching(manifest.genes):
            genes = select_genes(manifest)
    return sizes, genes
