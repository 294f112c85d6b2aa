"""Builds a dataset from a manifest: in parallel, in bounded memory, and resumable after any interruption.

A task fills the sequence of one chromosome, fills the signals of one cell type on one chromosome, or computes a
checksum. All bytes of the dataset depend only on the manifest, the window and the sources.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import pandas as pd

from epigx.dataset.build.gene_table import order_genes, select_genes, table_columns
from epigx.dataset.build.metadata import add_columns, arrays_of, region_info, write_metadata
from epigx.dataset.build.pool import Build, run_tasks
from epigx.dataset.build.staging import WorkFolder, build_key, share_sequence
from epigx.dataset.build.tasks import BlacklistTask, DigestTask, PeakTask, SequenceTask, SignalTask, Task
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.npy import make_array
from epigx.dataset.store import Dataset, open_dataset
from epigx.dataset.validate.check import refuse_errors
from epigx.errors import ConfigError, InputError
from epigx.genome.sequence import Genome
from epigx.system.locks import FolderLock, locked
from epigx.system.resources import cores

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
    lock: FolderLock | None = None,
) -> Dataset:
    """Build a dataset.

    The manifest is checked first. After any interruption, the same call continues the build.

    The DNA of datasets in the same parent folder is stored once if it is the same: as hard links to one file.

    Parameters
    ----------
    manifest : Manifest
        The inputs; see :func:`epigx.dataset.manifest.schema.read_manifest`.
    window : int
        Window length in bp, even. The dataset also serves every shorter window.
    out : str or Path
        The folder to write.
    jobs : int or None
        Processes; ``None`` uses up to one per core, fewer for small datasets. A script that uses several must call
        ``build`` under ``if __name__ == "__main__":``, because each process imports the script.
    force : bool
        Whether to replace a dataset at ``out``, once the new one is complete.
    progress : callable, optional
        Called with (finished tasks, all tasks), first before any task.
    lock : FolderLock, optional
        The lock on ``out``, if the caller has taken it.

    Returns
    -------
    Dataset
        The new dataset, opened.

    Raises
    ------
    InputError
        The check finds an error, ``out`` exists and ``force`` is false, it cannot be written, the disk is full, or a
        source is damaged or changed during the build. ``out`` is left unchanged.
    RunError
        Another process is building it.
    DatasetError
        A process died; call ``build`` again to continue.
    ConfigError
        The window is odd or too short, or ``jobs`` is below 1.
    """
    if jobs is not None and jobs < 1:
        raise ConfigError(f"A build needs at least one process, not {jobs}. Set --jobs (jobs) to 1 or more.")
    work = WorkFolder(Path(out).absolute())
    with work.writing():
        work.check_free(force=force)
        for problem in refuse_errors(manifest, window):
            logger.log(_LOUDNESS[problem.level], "%s: %s", problem.where, problem.message)
        with locked(work.out, wait=False) if lock is None else nullcontext(lock) as lock:
            work.undo_half_replacement()
            work.check_free(force=force)  # again, as another build may have finished meanwhile
            try:
                _fill(work, lock, manifest, window, jobs, progress)
            except KeyboardInterrupt:
                logger.warning("Stopped building %s. To continue where it stopped, run the same command again.", out)
                raise
    dataset = open_dataset(out)
    logger.info("Built %s: %d genes, %d bp.", work.out, len(dataset), window)
    return dataset


def _fill(
    work: WorkFolder, lock: FolderLock, manifest: Manifest, window: int, jobs: int | None, progress: Progress | None
) -> None:
    """Run the remaining tasks in the work folder, and publish the dataset."""
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
    digests = [DigestTask(work.whole / name, f"array-{number}") for number, name in enumerate(arrays)]
    try:
        # Starting a process takes about as long as reading 128 MB of windows.
        jobs = min(cores(), 1 + size // 2**27) if jobs is None else jobs
        _run(whole, lock, (filling, digests), jobs, progress)
    except InputError:
        work.discard()  # the user has to change a source, which makes all of this invalid
        raise
    about = write_metadata(whole, add_columns(whole, filling, genes, columns))
    if build_key(manifest, window) != key:
        raise InputError(f"A file of the manifest changed while {work.out} was built. Build it again.")
    share_sequence(work.whole, work.out.parent, about.files["sequence.npy"])
    open_dataset(work.whole)
    lock.check()
    work.publish()


def _run(
    build: Build, lock: FolderLock, phases: Sequence[Sequence[Task]], jobs: int, progress: Progress | None
) -> None:
    """Run the unfinished tasks, one phase after the other."""
    pending = [[task for task in tasks if build.work.report(task.name) is None] for tasks in phases]
    total = sum(map(len, phases))
    done = total - sum(map(len, pending))
    if done:
        logger.info("Continuing a build with %d of %d tasks finished.", done, total)
    if progress is not None:
        progress(done, total)
    for _ in run_tasks(build, pending, jobs):
        lock.check()
        done += 1
        if progress is not None:
            progress(done, total)


def _filling_tasks(manifest: Manifest, genes: pd.DataFrame) -> list[Task]:
    tasks: list[Task] = [
        DigestTask(manifest.locate(file), f"source-{number}") for number, file in enumerate(manifest.files())
    ]
    for chrom, own in genes.groupby("chrom", sort=False):
        first = int(own.index[0])
        tasks.append(SequenceTask(str(chrom), first, own))
        tasks += [SignalTask(str(chrom), first, own, cell_type) for cell_type in manifest.cell_types]
        tasks += [PeakTask(str(chrom), first, own, cell_type) for cell_type in region_info(manifest).peaks]
        tasks += [BlacklistTask(str(chrom), first, own)] if manifest.blacklist else []
    return tasks
