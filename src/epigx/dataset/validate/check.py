"""Looks a manifest and its files over before any work, and reports everything that is wrong at once."""

from __future__ import annotations

import pandas as pd

from epigx.dataset.build.gene_table import select_genes
from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.validate.genes import check_genes, check_tables
from epigx.dataset.validate.problem import Problem, Problems, counted
from epigx.dataset.validate.regions import check_regions
from epigx.dataset.validate.signals import check_cage, check_signals
from epigx.errors import ConfigError, InputError, did_you_mean

__all__ = ["Problem", "check", "refuse_errors"]


def check(manifest: Manifest, window: int) -> list[Problem]:
    """Report every problem of a manifest and its files.

    Files are opened, their chromosomes compared with the genome's, tables read, and tracks surveyed and sampled at
    some TSSs; nothing is written.

    Parameters
    ----------
    manifest : Manifest
        The inputs.
    window : int
        Window length in bp that a build would have.

    Returns
    -------
    list of Problem
        Errors first, then warnings, then notices; empty when there is nothing to say.

    Raises
    ------
    ConfigError
        The window is odd or below 2.
    """
    if window < 2 or window % 2:
        raise ConfigError(f"A window of {window} bp has no middle. Choose an even number of bases, such as 2000.")
    problems = Problems()
    readers = Readers(manifest, window)
    _check_names(manifest, problems)
    missing = _check_files(manifest, problems)
    sizes, genes = _open_genes(readers, missing, problems)
    if genes is not None:
        if sizes is not None:
            check_genes(readers, genes, window, problems)
        check_tables(readers, genes, sizes, missing, problems)
    check_signals(readers, genes, sizes, missing, problems)
    check_cage(readers, genes, sizes, missing, problems)
    check_regions(readers, genes, sizes, missing, problems)
    order = ("error", "warning", "notice")
    return sorted(problems, key=lambda problem: order.index(problem.level))


def refuse_errors(manifest: Manifest, window: int) -> list[Problem]:
    """Raise the first error that :func:`check` finds, with the number of the others, or return the rest.

    Raises
    ------
    InputError
        There is one.
    """
    problems = check(manifest, window)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        others = counted(len(errors) - 1, "other error")
        more = f" With {others}: `epigx check` lists them." if len(errors) > 1 else ""
        raise InputError(f"{errors[0].where}: {errors[0].message}{more}")
    return problems


def _check_names(manifest: Manifest, problems: Problems) -> None:
    """Compare the names that the parts of a manifest call each other by."""
    for cell_type, cell in manifest.cell_types.items():
        for name in manifest.signals:
            if name not in cell.signals:
                problems.error(cell_type, f"the signal {name!r} has no file. Add it, or leave it out of `signals`.")
        for name in cell.signals:
            if name not in manifest.signals:
                problems.error(
                    cell_type, f"there is no signal {name!r} in `signals`.{did_you_mean(name, manifest.signals)}"
                )
        if cell.expression is None:
            problems.notice(cell_type, "has no expression: it can be predicted, not trained on or scored.")
    activity = manifest.features.promoter_activity if manifest.features else None
    for name in (activity.h3k27ac, activity.accessibility) if activity else ():
        if name not in manifest.signals:
            choice = did_you_mean(name, manifest.signals)
            problems.error("promoter_activity", f"there is no signal {name!r}.{choice}")
        elif any(name in cell.signals and cell.signals[name].is_contact for cell in manifest.cell_types.values()):
            problems.error("promoter_activity", f"the signal {name!r} is no track along the genome. Name one that is.")


def _check_files(manifest: Manifest, problems: Problems) -> set[str]:
    """Return the files that are not there."""
    missing = set()
    for file in manifest.files():
        path = manifest.locate(file)
        if not path.is_file():
            missing.add(file)
            what = "is a folder" if path.is_dir() else "does not exist"
            problems.error(file, f"{path} {what}. Mend the path in the manifest, or fetch the file.")
    return missing


def _open_genes(
    readers: Readers, missing: set[str], problems: Problems
) -> tuple[dict[str, int] | None, pd.DataFrame | None]:
    """Open the genome and the genes, as far as they can be read."""
    manifest = readers.manifest
    sizes, genes = None, None
    if manifest.genome not in missing:
        with problems.catching(manifest.genome):
            sizes = readers.genome.sizes
    if manifest.genes not in missing:
        with problems.catching(manifest.genes):
            genes = select_genes(manifest)
    return sizes, genes
