"""Raw files to arrays by our build or gene by gene, and arrays to training batches by the loader."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.measure import Effort, compare
from benchmarks.worker import run_in_worker
from epigx.batch import Batch
from epigx.dataset.build.build import build
from epigx.dataset.build.gene_table import order_genes, select_genes
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.loader import train_loader
from epigx.dataset.manifest.schema import Manifest, read_manifest
from epigx.dataset.store import open_dataset
from epigx.dataset.window_grid import WindowGrid
from epigx.dataset.windows import Windows
from epigx.genome.sequence import Genome, N
from epigx.genome.tracks.tracks import open_track
from epigx.simulator.settings import Simulation
from epigx.simulator.simulate import simulate

__all__ = ["READERS", "Building", "Reading", "agree", "measure", "measure_loader", "sources"]

EXAMPLE = Path(__file__).parents[1] / "studies" / "real" / "manifest.yaml"
BATCHES = 100
"""Batches in one round of the loader."""
CODES = np.full(256, N, np.uint8)
CODES[[ord(letter) for letter in "ACGTacgt"]] = [0, 1, 2, 3] * 2

Arrays = NDArray[np.uint8] | NDArray[np.float32]


def sources(folder: Path) -> tuple[str, Manifest]:
    """Return the manifest of real data if available (EPIGX_REAL_DATA, or shared/ beside the clone), else simulated."""
    manifest = read_manifest(EXAMPLE)
    root = Path(os.environ.get("EPIGX_REAL_DATA", manifest.root))
    if root.is_dir():
        return "real data", manifest.model_copy(update={"root": root.absolute()})
    return "simulated data", read_manifest(simulate(Simulation(genes=4_000), folder / "simulated"))


@dataclass(frozen=True)
class Building:
    """A whole build in one process: signals with contacts, features, labels, checksums."""

    manifest: Manifest
    window: int

    @property
    def size(self) -> tuple[int, ...]:
        return (self.window,)

    def small(self) -> Self:
        return replace(self, manifest=_one_chromosome(self.manifest))

    def prepare(self) -> Callable[[], object]:
        def run() -> None:
            with tempfile.TemporaryDirectory(prefix="epigx-bench-") as folder:
                build(self.manifest, self.window, Path(folder) / "data")

        return run


@dataclass(frozen=True)
class Reading:
    """Reads the bases (optionally) and bigWig signals of every gene as arrays, without keeping them."""

    name: str
    manifest: Manifest
    window: int
    bases: bool = True

    @property
    def size(self) -> tuple[int, ...]:
        return (self.window,)

    def small(self) -> Self:
        return replace(self, manifest=_one_chromosome(self.manifest))

    def prepare(self) -> Callable[[], object]:
        genome = Genome(self.manifest.locate(self.manifest.genome))
        genes = order_genes(select_genes(self.manifest), genome)

        def run() -> None:
            for _ in self.windows(genes):
                pass

        return run

    def windows(self, genes: pd.DataFrame) -> Iterator[Arrays]:
        """Yield the windows of each chromosome, first of the genome, then of each track of each cell type."""
        files = [file for cell in self.manifest.cell_types.values() for file in cell.signals.values()]
        tracks = [self.manifest.locate(str(file.file)) for file in files if file.kind == "bigwig"]
        bases, values = READERS[self.name]
        genome = [(self.manifest.locate(self.manifest.genome), bases)] if self.bases else []
        for path, read in (*genome, *((path, values) for path in tracks)):
            for chrom, own in genes.groupby("chrom", sort=False):
                yield read(path, str(chrom), WindowGrid.of(own, self.window, self.manifest.orient).starts, self.window)


def _bases(path: Path, chrom: str, starts: NDArray[np.int64], length: int) -> Arrays:
    return Genome(path).windows(chrom, starts, length)


def _values(path: Path, chrom: str, starts: NDArray[np.int64], length: int) -> Arrays:
    values = open_track(path, "bigwig").windows(chrom, starts, length)
    values[np.isnan(values)] = 0
    return values


def _bases_by_gene(path: Path, chrom: str, starts: NDArray[np.int64], length: int) -> Arrays:
    import pysam

    rows = []
    with pysam.FastaFile(str(path)) as fasta:
        size = fasta.get_reference_length(chrom)
        for start in starts:
            left, right = max(int(start), 0), min(int(start) + length, size)
            letters = np.frombuffer(fasta.fetch(chrom, left, right).encode(), np.uint8)
            rows.append(np.pad(CODES[letters], (left - start, start + length - right), constant_values=N))
    return np.stack(rows)


def _values_by_gene(path: Path, chrom: str, starts: NDArray[np.int64], length: int) -> Arrays:
    import pyBigWig

    rows = []
    for start in starts:
        with pyBigWig.open(str(path)) as track:
            rows.append(_one_gene(track, chrom, int(start), length, as_array=False))
    return np.stack(rows)


def _values_from_open_file(path: Path, chrom: str, starts: NDArray[np.int64], length: int) -> Arrays:
    import pyBigWig

    with pyBigWig.open(str(path)) as track:
        return np.stack([_one_gene(track, chrom, int(start), length, as_array=True) for start in starts])


def _one_gene(track: Any, chrom: str, start: int, length: int, *, as_array: bool) -> NDArray[np.float32]:
    left, right = max(start, 0), min(start + length, track.chroms(chrom))
    values = np.nan_to_num(np.asarray(track.values(chrom, left, right, numpy=as_array), np.float32))
    return np.pad(values, (left - start, start + length - right))


Reader = Callable[[Path, str, NDArray[np.int64], int], Arrays]
READERS: dict[str, tuple[Reader, Reader]] = {
    "epigx": (_bases, _values),
    "gene by gene, files kept open": (_bases_by_gene, _values_from_open_file),
    "gene by gene": (_bases_by_gene, _values_by_gene),
}
"""How bases and tracks are read: by epigx; by pysam and pyBigWig for each gene from open files, values as arrays; and
like reference code, which opens the bigWig for each gene and gets its values as a list, pyBigWig's default."""


def agree(manifest: Manifest, window: int) -> None:
    """Check on one chromosome that all readers give the same arrays.

    Raises
    ------
    ValueError
        One does not, so the timed work would differ.
    """
    manifest = _one_chromosome(manifest)
    genes = order_genes(select_genes(manifest), Genome(manifest.locate(manifest.genome)))
    readers = {name: Reading(name, manifest, window).windows(genes) for name in READERS}
    for ours, *others in zip(*readers.values(), strict=True):
        if not all(np.array_equal(ours, theirs) for theirs in others):
            raise ValueError("Reading gene by gene gives other arrays than epigx.")


def measure(folder: Path, window: int, chromosomes: tuple[str, ...] | None, effort: Effort) -> list[dict[str, Any]]:
    """Compare readers on some or all chromosomes: bases and signals, then signals only.

    Most of our time for bases is spent in htslib, which the other readers use, too. The first row also has the wall
    seconds of a whole build into ``folder/data`` and, with all chromosomes, its CPU seconds.
    """
    kind, manifest = sources(folder)
    agree(manifest, window)
    part = manifest.model_copy(update={"chromosomes": chromosomes})
    both, signals = (
        compare({name: Reading(name, part, window, bases) for name in READERS}, effort) | {"read": read}
        for bases, read in ((True, "bases and signals"), (False, "signals only"))
    )
    if chromosomes is None:
        found = compare({"epigx": Building(manifest, window)}, effort)["competitors"].get("epigx", {})
        both["build_seconds"] = found.get("seconds")  # None on a machine that exceeds the limits
    both["build_wall_seconds"] = run_in_worker(_build, manifest, window, folder / "data")
    cells = len(manifest.cell_types)
    facts = {"data": kind, "genes": len(select_genes(part)), "cell_types": cells, "window": window}
    return [both | facts, signals | facts]


def _build(manifest: Manifest, window: int, out: Path) -> float:
    start = time.perf_counter()
    build(manifest, window, out, jobs=None)
    return time.perf_counter() - start


def _one_chromosome(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"chromosomes": manifest.split.valid[-1:]})


def measure_loader(data: Path, batch_size: int, effort: Effort) -> dict[str, Any]:
    """Time the training loader on a dataset's first cell type, with all its signals and features."""
    rounds = run_in_worker(_loader_rounds, data, batch_size, effort.rounds)
    seconds = median(rounds) / BATCHES
    return {
        "batch_size": batch_size,
        "batches": BATCHES,
        "rounds": rounds,
        "seconds_per_batch": seconds,
        "genes_per_second": batch_size / seconds,
    }


def _loader_rounds(data: Path, batch_size: int, rounds: int) -> list[float]:
    dataset = open_dataset(data)
    every, cell_type = np.arange(len(dataset)), dataset.cell_types[0]
    windows = Windows(dataset, cell_type, every, fit_inputs(dataset, [cell_type], every))
    loader: Iterator[Batch] = iter(train_loader(windows, batch_size=batch_size, seed=0))
    _take(loader)
    return [_take(loader) for _ in range(rounds)]


def _take(loader: Iterator[Batch]) -> float:
    start = time.process_time()
    for _ in islice(loader, BATCHES):
        pass
    return time.process_time() - start
