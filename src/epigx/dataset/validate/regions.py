"""Checks of peaks, the blacklist and the inputs of elements."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from epigx.dataset.build.readers import Readers
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.validate.problem import Problems, counted
from epigx.dataset.validate.signals import check_chromosomes, sample_genes
from epigx.dataset.window_grid import WindowGrid
from epigx.errors import did_you_mean
from epigx.genome.peaks.peak_calling import MACS3_IS_MISSING, find_macs3
from epigx.genome.peaks.peaks import Peaks

__all__ = ["NOT_A_TRACK", "NOT_CONTACTS", "check_regions"]

NOT_A_TRACK = "a contact map, not a genomic track. Use a track such as a bigWig."
NOT_CONTACTS = "a genomic track, not contacts. Use contacts such as a Hi-C file."
_MOSTLY = 0.95  # peaks may cover most of a short window around a TSS


def check_regions(
    readers: Readers, genes: pd.DataFrame | None, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Check peaks, blacklist and elements; ``sizes`` are the genome's chromosome lengths in bp."""
    manifest = readers.manifest
    files = {cell.peaks.file: "peak" for cell in manifest.cell_types.values() if cell.peaks and cell.peaks.file}
    files |= {manifest.blacklist: "region"} if manifest.blacklist else {}
    for file, noun in files.items():
        if file in missing:
            continue
        with problems.catching(file):
            regions = Peaks(readers.peak_file(file))
            means = f"no {noun}"
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
    """Find regions that overlap no window, or cover nearly all bases of the windows."""
    grid = WindowGrid.of(sample_genes(genes), readers.window, readers.manifest.orient)
    covered = sum(
        int(regions.mask(str(chunk.chrom[0]), chunk.starts, chunk.length).sum()) for _, chunk in grid.chunks()
    )
    total = grid.length * len(grid)
    if noun == "peak" and not covered:
        problems.warning(
            where,
            f"no peak overlaps any of {counted(len(grid), 'window')} checked. Check that it is the right file and of "
            "the genes' assembly.",
        )
    if covered > _MOSTLY * total:
        problems.warning(
            where,
            f"{covered / total:.0%} of the bases of {counted(len(grid), 'window')} lie in a {noun}. "
            f"Check that it is a file of {noun}s.",
        )


def _check_elements(manifest: Manifest, problems: Problems) -> None:
    """Check that the peaks and signals that elements need are in the manifest."""
    source = manifest.elements
    if source is None:
        return
    for cell_type, cell in manifest.cell_types.items():
        if cell.peaks is None:
            problems.error("elements", f"{cell_type} has no peaks, but elements are made from peaks. Add `peaks:`.")
    for name in (source.h3k27ac, source.accessibility):
        _check_signal(manifest, manifest.cell_types, name, "elements", problems)
    if source.contact is None:
        problems.notice(
            "elements", "contacts are computed from distance by a power law; to use a signal, set `contact:`."
        )
    else:
        _check_signal(manifest, manifest.cell_types, source.contact, "elements", problems, contact=True)


def _check_signal(
    manifest: Manifest, cell_types: Iterable[str], name: str, where: str, problems: Problems, *, contact: bool = False
) -> None:
    """Check that a signal exists and is a track, or with ``contact`` contacts, in all the cell types."""
    if name not in manifest.signals:
        problems.error(where, f"there is no signal {name!r} in `signals`.{did_you_mean(name, manifest.signals)}")
        return
    specs = (manifest.cell_types[cell_type].signals.get(name) for cell_type in cell_types)
    if any(spec is not None and spec.is_contact != contact for spec in specs):
        problems.error(where, f"the signal {name!r} is {NOT_CONTACTS if contact else NOT_A_TRACK}")
