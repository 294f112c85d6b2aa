"""Builds a dataset from a manifest: in parallel, in bounded memory, and so that a kill spoils nothing.

One task fills the sequence of one chromosome, or the signals of one cell type on one chromosome, or takes a checksum.
The order of genes, and so every byte, depends on the manifest, the window and the sources alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd

from epigx.dataset.build.array_specs import arrays_of, region_info
from epigx.dataset.build.gene_table import order_genes, select_genes, table_columns
from epigx.dataset.build.metadata import complete, describe
from epigx.dataset.build.pool import Build, run_tasks
from epigx.dataset.build.region_tasks import BlacklistTask, PeakTask
from epigx.dataset.build.staging import WorkFolder, build_key
from epigx.dataset.build.tasks import DigestTask, SequenceTask, SignalTask, Task
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.npy import make_array
from epigx.dataset.store import Dataset, open_dataset
from epigx.dataset.validate.check import refuse_errors
from epigx.errors import ConfigError, InputError
from epigx.genome.sequence import Genome

__all__ = ["build"]

logger = logging.getLogger(__name__)

_LOUDNESS = {"warning": logging.WARNING, "notice": logging.INFO}

Progress = Callable[[int, int], None]


def build(
    manifest: Manifest,
    window: int,
    out: str | Path,
    *,
    jobs: int | None = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Build a dataset.

    Called again after it was stopped, by whatever means, it goes on where it was. The manifest is checked first.

    Parameters
    ----------
    manifest : Manifest
        The inputs; see :func:`epigx.dataset.manifest.schema.read_manifest`.
    window : int
        Window length in bp, even. The dataset also serves every shorter window.
    out : str or Path
        The folder to make.
    jobs : int or None
        Processes; ``None`` takes one for each core as far as that pays. A script that uses several has to call
        ``build`` under ``if __name__ == "__main__":``, because each of them imports the script.
    force : bool
        Whether a dataset that stands at ``out`` is replaced, once the new one is whole.
    progress : callable, optional
        Called with (tasks finished, tasks in all), also once before the first.

    Returns
    -------
    Dataset
        The new dataset, opened.

    Raises
    ------
    InputError
        The check found an error, ``out`` exists and ``force`` is false, another process is building it, it cannot be
        written or the disk is full, or a source is damaged or changed under way. Nothing stands at ``out`` then that
        did not stand there before.
    DatasetError
        A process died; call ``build`` again to go on.
    ConfigError
        The window is odd or too short, or there are no ``jobs``.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"A build takes at least one process, and {jobs} are asked for (jobs, --jobs).")
    work = WorkFolder(Path(out).absolute())
    with work.writing():
        work.check_free(force=force)
        for problem in refuse_errors(manifest, window):
            logger.log(_LOUDNESS[problem.level], "%s: %s", problem.where, problem.message)
        with work.alone():
            work.check_free(force=force)  # again: another build may have ended since
            _fill(work, manifest, window, jobs, progress)
    dataset = open_dataset(out)
    logger.info("Built %s: %d genes, %d bp.", work.out, len(dataset), window)
    return dataset


def _fill(work: WorkFolder, manifest: Manifest, window: int, jobs: int | None, progress: Progress | None) -> None:
    """Do what is left to do in the work folder, and publish it."""
    key = build_key(manifest, window)
    genome = Genome(manifest.locate(manifest.genome))
    genes = order_genes(select_genes(manifest), genome)
    arrays = arrays_of(manifest, window, len(genes))
    size = sum(array.n_bytes for array in arrays.values())
    if work.prepare(key, size):
        for name, array in arrays.items():
            make_array(work.whole / name, array.shape, array.dtype)
        work.begin(key)
    whole = Build(manifest, window, work)
    columns = table_columns(manifest, genes, genome)
    filling = _filling_tasks(manifest, genes)
    try:
        _run(whole, (filling, _digest_tasks(whole, arrays)), _jobs(size) if jobs is None else jobs, progress)
    except InputError:
        work.discard()  # a source has to change first, and then nothing of this can be used
        raise
    describe(whole, complete(whole, filling, genes, columns))
    if build_key(manifest, window) != key:
        raise InputError(f"A file of the manifest changed while {work.out} was built. Build it again.")
    open_dataset(work.whole)
    work.publish()


def _jobs(size: int) -> int:
    """Choose how many processes pay: a new one costs about as much as reading 128 MB of windows."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, 1 + size // 2**27)


def _run(build: Build, phases: Sequence[Sequence[Task]], jobs: int, progress: Progress | None) -> None:
    """Run the tasks that are not finished, one phase after the other."""
    pending = [[task for task in tasks if build.work.report(task.name) is None] for tasks in phases]
    total = sum(map(len, phases))
    done = total - sum(map(len, pending))
    if done:
        logger.info("Took up a build with %d of %d tasks finished.", done, total)
    if progress is not None:
        progress(done, total)
    for _ in run_tasks(build, pending, jobs):
        done += 1
        if progress is not None:
            progress(done, total)


def _filling_tasks(manifest: Manifest, genes: pd.DataFrame) -> list[Task]:
    tasks: list[Task] = [
        DigestTask(manifest.locate(file), f"source-{number}") for number, file in enumerate(manifest.files())
    ]
    for chrom, part in genes.groupby("chrom", sort=False):
        first = int(part.index[0])
        tasks.append(SequenceTask(str(chrom), first, part))
        tasks += [SignalTask(cell_type, str(chrom), first, part) for cell_type in manifest.cell_types]
        tasks += [PeakTask(cell_type, str(chrom), first, part) for cell_type in region_info(manifest).peaks]
        tasks += [BlacklistTask(str(chrom), first, part)] if manifest.blacklist else []
    return tasks


def _digest_tasks(build: Build, arrays: Iterable[str]) -> list[Task]:
    return [DigestTask(build.work.whole / name, f"array-{number}") for number, name in enumerate(arrays)]
