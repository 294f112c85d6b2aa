"""The part of the check that looks at peaks, blacklist and what elements are made of."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.validate.problem import Problems, counted
from epigx.dataset.validate.signals import check_chromosomes, some_genes
from epigx.errors import did_you_mean
from epigx.genome.peaks.macs3 import MACS3_IS_MISSING, find_macs3
from epigx.genome.peaks.peaks import Peaks

__all__ = ["check_regions"]

_MOSTLY = 0.95  # peaks may well cover most of a short window around a TSS


def check_regions(
    readers: Readers, genes: pd.DataFrame | None, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Look peaks and blacklist over; ``sizes`` are those of the genome's chromosomes."""
    manifest = readers.manifest
    files = {cell.peaks.file: "peak" for cell in manifest.cell_types.values() if cell.peaks and cell.peaks.file}
    files |= {manifest.blacklist: "region"} if manifest.blacklist else {}
    for file, noun in files.items():
        if file in missing:
            continue
        with problems.catching(file):
            regions = Peaks(readers.peak_file(file))
            means = f"without a {noun}"
            fits = check_chromosomes(readers, file, regions, genes, sizes, problems, lacking_means=means)
            if fits and genes is not None:
                _check_share(readers, file, regions, genes, noun, problems)
    for cell_type, cell in manifest.cell_types.items():
        if cell.peaks is not None and cell.peaks.signal is not None:
            where = f"{cell_type} peaks"
            _check_signal(manifest, (cell_type,), cell.peaks.signal, where, problems)
            if cell.peaks.caller == "macs3" and find_macs3() is None:
                problems.error(where, MACS3_IS_MISSING)
    _check_elements(manifest, problems)


def _check_share(
    readers: Readers, where: str, regions: Peaks, genes: pd.DataFrame, noun: str, problems: Problems
) -> None:
    """Find regions that hold nothing of the windows, or nearly all of it."""
    some = some_genes(genes)
    length = readers.window
    held = sum(
        int(regions.mask(str(chrom), part["tss"].to_numpy() - length // 2, length).sum())
        for chrom, part in some.groupby("chrom", sort=False)
    )
    if noun == "peak" and not held:
        problems.warning(where, f"there is no peak in any of {counted(len(some), 'window')} looked at.")
    if held > _MOSTLY * length * len(some):
        problems.warning(
            where,
            f"{held / (length * len(some)):.0%} of the bases of {counted(len(some), 'window')} lie in a {noun}. "
            f"Is it a file of {noun}s?",
        )


def _check_elements(manifest: Manifest, problems: Problems) -> None:
    """Compare what elements are to be made of with what there is."""
    source = manifest.elements
    if source is None:
        return
    for cell_type, cell in manifest.cell_types.items():
        if cell.peaks is None:
            problems.error("elements", f"{cell_type} has no peaks, of which elements are made. Give it `peaks:`.")
    for name in (source.h3k27ac, source.accessibility):
        _check_signal(manifest, manifest.cell_types, name, "elements", problems)
    if source.contact is None:
        problems.notice("elements", "their contacts follow the power law of distance; `contact:` names a signal.")
    else:
        _check_signal(manifest, manifest.cell_types, source.contact, "elements", problems, contact=True)


def _check_signal(
    manifest: Manifest, cell_types: Iterable[str], name: str, where: str, problems: Problems, *, contact: bool = False
) -> None:
    """Make sure that there is a signal of a name, a track or (``contact``) contacts in all the cell types."""
    if name not in manifest.signals:
        problems.error(where, f"there is no signal {name!r}.{did_you_mean(name, manifest.signals)}")
        return
    specs = (manifest.cell_types[cell_type].signals.get(name) for cell_type in cell_types)
    if any(spec is not None and spec.is_contact != contact for spec in specs):
        kind = "does not hold contacts" if contact else "is no track along the genome"
        problems.error(where, f"the signal {name!r} {kind}. Name one that {'does' if contact else 'is'}.")
