"""The part of the check that looks at peaks and blacklist."""

from __future__ import annotations

import pandas as pd

from epigx.dataset.check_signals import check_chromosomes, some_genes
from epigx.dataset.problem import Problems, counted
from epigx.dataset.readers import Readers
from epigx.dataset.region_sources import PeakCalling
from epigx.errors import did_you_mean
from epigx.genome.macs3 import MACS3_IS_MISSING, find_macs3
from epigx.genome.peaks import Peaks

__all__ = ["check_regions"]

_MOSTLY = 0.5


def check_regions(
    readers: Readers, genes: pd.DataFrame | None, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Look peaks and blacklist over; ``sizes`` are those of the genome's chromosomes."""
    manifest = readers.manifest
    files = {cell.peaks: "peak" for cell in manifest.cell_types.values() if isinstance(cell.peaks, str)}
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
        if isinstance(cell.peaks, PeakCalling):
            _check_calling(readers, cell_type, cell.peaks, problems)


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


def _check_calling(readers: Readers, cell_type: str, calling: PeakCalling, problems: Problems) -> None:
    """Compare what peaks are to be called on and by with what there is."""
    signals, where = readers.manifest.signals, f"{cell_type} peaks"
    if calling.signal not in signals:
        problems.error(where, f"there is no signal {calling.signal!r}.{did_you_mean(calling.signal, signals)}")
    elif (spec := readers.manifest.cell_types[cell_type].signals.get(calling.signal)) and spec.is_contact:
        problems.error(where, f"the signal {calling.signal!r} is no track along the genome. Name one that is.")
    if calling.caller == "macs3" and find_macs3() is None:
        problems.error(where, MACS3_IS_MISSING)
