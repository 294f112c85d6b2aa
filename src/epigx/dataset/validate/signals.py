"""Checks of tracks and contacts: their chromosomes, their assembly and their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.manifest.sources import SignalFile
from epigx.dataset.signals import Transform, forbids_negative
from epigx.dataset.validate.genes import report_labels
from epigx.dataset.validate.problem import Problems, counted, listed
from epigx.dataset.window_grid import WindowGrid
from epigx.genome.chromosomes import match_chromosome, match_chromosomes
from epigx.genome.contacts.contacts import Contacts
from epigx.genome.expression import cage_label
from epigx.genome.peaks.peaks import Peaks
from epigx.genome.tracks.tracks import Track

__all__ = ["check_cage", "check_chromosomes", "check_signals", "sample_genes"]

_SAMPLE = 500
_LARGEST = {"float16": float(np.finfo(np.float16).max), "float32": float(np.finfo(np.float32).max)}
_MOSTLY = 0.5


def check_signals(
    readers: Readers, genes: pd.DataFrame | None, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Check the signals of every cell type; ``sizes`` are the genome's chromosome lengths in bp."""
    manifest = readers.manifest
    for cell_type, cell in manifest.cell_types.items():
        for name, spec in cell.signals.items():
            where = spec.file or f"{cell_type} {name}"
            if name not in manifest.signals or spec.file in missing:
                continue
            with problems.catching(where):
                signal = readers.signal(spec)
                if not check_chromosomes(readers, where, signal, genes, sizes, problems) or genes is None:
                    continue
                if spec.is_contact:
                    _check_contacts(readers, where, spec, genes, problems)
                else:
                    transform = manifest.signals[name].transform
                    _check_track(readers, where, spec, genes, transform, problems)


def check_cage(
    readers: Readers, genes: pd.DataFrame | None, sizes: dict[str, int] | None, missing: set[str], problems: Problems
) -> None:
    """Check the CAGE tracks of the labels."""
    for cell_type, cell in readers.manifest.cell_types.items():
        label = cell.expression
        files = [file for file in (label.plus, label.minus) if file] if label else []
        if label is None or not files or missing.intersection(files):
            continue
        with problems.catching(cell_type):
            tracks = [readers.track(file, "bigwig") for file in files]
            good = [
                check_chromosomes(readers, file, track, genes, sizes, problems, lacking_means="no label")
                for file, track in zip(files, tracks, strict=True)
            ]
            if genes is None or not all(good):
                continue
            held = genes[[all(holds(track, chrom) for track in tracks) for chrom in genes["chrom"]]]
            sample = sample_genes(held)
            values = cage_label(tracks[0], tracks[1] if len(tracks) > 1 else None, sample, label.width)
            report_labels(cell_type, " and ".join(files), sample, values, problems)


def check_chromosomes(
    readers: Readers,
    where: str,
    signal: Track | Contacts | Peaks,
    genes: pd.DataFrame | None,
    sizes: dict[str, int] | None,
    problems: Problems,
    *,
    lacking_means: str = "read as 0",
) -> bool:
    """Compare a file's chromosomes with the genes' and the genome's; return whether its values can be checked."""
    if signal.chromosomes is None:
        problems.notice(where, "contacts are computed from distance by a power law, as there is no Hi-C file.")
        return True
    wanted = list(sizes or ()) if genes is None else list(genes["chrom"].unique())
    names = match_chromosomes(wanted, signal.chromosomes)
    if wanted and not names:
        problems.error(
            where,
            f"it has none of the genes' chromosomes {listed(wanted, 3)}; it has {listed(list(signal.chromosomes), 3)}. "
            "Use files of one assembly with the same chromosome names.",
        )
        return False
    if lacking := [chrom for chrom in wanted if chrom not in names]:
        count = 0 if genes is None else int(genes["chrom"].isin(lacking).sum())
        problems.warning(
            where,
            f"it has no data on {listed(lacking)} ({counted(count, 'gene')}): {lacking_means} there. "
            "Use a file with all chromosomes, or list the ones to use under `chromosomes`.",
        )
    if aliases := [f"{chrom} is called {name}" for chrom, name in names.items() if chrom != name]:
        problems.notice(where, f"{listed(aliases)} in this file.")
    return _check_lengths(readers, where, signal.chromosomes, names, sizes or {}, problems)


def _check_lengths(
    readers: Readers,
    where: str,
    lengths: dict[str, int | None],
    names: dict[str, str],
    sizes: dict[str, int],
    problems: Problems,
) -> bool:
    """Detect a file of another assembly by its chromosome lengths; return whether they agree."""
    pairs = {chrom: (lengths[name], sizes.get(match_chromosome(chrom, sizes) or "")) for chrom, name in names.items()}
    other = [(chrom, ours, theirs) for chrom, (ours, theirs) in pairs.items() if ours and theirs and ours != theirs]
    if other:
        chrom, ours, theirs = other[0]
        problems.error(
            where,
            f"its {chrom} has {ours:,} bp, but {readers.manifest.genome} has {theirs:,} "
            f"({counted(len(other), 'chromosome')} of {len(pairs)} differ). It is of another assembly: "
            "lift it over, or use that assembly's genome and genes.",
        )
    return not other


def _check_track(
    readers: Readers, where: str, spec: SignalFile, genes: pd.DataFrame, transform: Transform, problems: Problems
) -> None:
    """Find tracks without information, and values that cannot be stored or transformed."""
    track = cast(Track, readers.signal(spec))
    survey = track.summary(genes["chrom"].unique())
    if not survey.covered_bases or np.isnan(survey.maximum):
        problems.error(where, "it has no value on the genes' chromosomes (only NaN). Download or make it again.")
        return
    if survey.maximum == 0 and not survey.negative:
        problems.error(where, "it is 0 everywhere. Download or make it again, or leave the signal out.")
        return
    if survey.negative and forbids_negative(transform):
        problems.error(where, f"it has negative values, but {transform} needs values of 0 or more. Use asinh or none.")
    if survey.maximum > _LARGEST[readers.manifest.dtype]:
        # The largest value may be far from any gene, so read the windows to find out.
        everything = _windows(readers, track, genes)
        _check_largest(readers, where, max(float(np.nan_to_num(v).max()) for v in everything), problems)
    sample = sample_genes(genes)
    absent, silent = 0, True
    for values in _windows(readers, track, sample):
        absent += int(np.isnan(values).sum())
        silent &= not np.nan_to_num(values).any()
    share = absent / (len(sample) * readers.window)
    if silent:
        problems.warning(
            where,
            f"it is 0 or has no value in all {counted(len(sample), 'window')} checked. "
            "Check that it is the right file and of the genes' assembly.",
        )
    elif share > _MOSTLY and not spec.format.sparse:
        problems.warning(
            where,
            f"{share:.0%} of the bases of {counted(len(sample), 'window')} have no value (NaN): read as 0. "
            "This is fine for a file of peaks; for coverage, use a track with values everywhere.",
        )


def _check_contacts(readers: Readers, where: str, spec: SignalFile, genes: pd.DataFrame, problems: Problems) -> None:
    """Check the contacts of one chromosome only, as a matrix is read one whole chromosome at a time."""
    contacts = cast(Contacts, readers.signal(spec))
    chrom = genes["chrom"][[holds(contacts, chrom) for chrom in genes["chrom"]]].value_counts().index[0]
    grid = WindowGrid.of(sample_genes(genes[genes["chrom"] == chrom]), readers.window, readers.manifest.orient)
    values = contacts.profile(str(chrom), grid.tss, grid.starts, grid.length)
    if not values.any():
        problems.warning(
            where,
            f"no contact at any of the {counted(len(grid), 'gene')} checked on {chrom}. "
            "Check that it is the right file and of the genes' assembly.",
        )
    _check_largest(readers, where, float(np.nanmax(values)), problems)


def _check_largest(readers: Readers, where: str, largest: float, problems: Problems) -> None:
    kind = readers.manifest.dtype
    if largest > _LARGEST[kind]:
        remedy = "Set `dtype: float32` in the manifest." if kind == "float16" else "Correct the file."
        problems.error(where, f"it reaches {largest:g}, but {kind} stores at most {_LARGEST[kind]:g}. {remedy}")


def sample_genes(genes: pd.DataFrame) -> pd.DataFrame:
    """Return at most 500 genes, evenly spaced over the rows."""
    rows = np.unique(np.linspace(0, len(genes) - 1, min(_SAMPLE, len(genes))).astype(int))
    return genes.iloc[rows]


def _windows(readers: Readers, track: Track, genes: pd.DataFrame) -> Iterator[NDArray[np.float32]]:
    """Read the genes' windows in chunks, float32 (gene, length)."""
    for _, grid in WindowGrid.of(genes, readers.window, readers.manifest.orient).chunks():
        if holds(track, chrom := str(grid.chrom[0])):
            yield track.windows(chrom, grid.starts, grid.length)
