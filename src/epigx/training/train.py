"""Train a run by any method; a stopped training can be resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from epigx.metrics import metrics
from epigx.runs.config import RunConfig
from epigx.runs.folder import Run, open_run, write_files
from epigx.runs.method import FittedModel
from epigx.runs.provenance import Provenance, versions
from epigx.runs.session import Session, StepProgress
from epigx.runs.training_data import TrainingData, choose_training_data
from epigx.system.locks import FolderLock
from epigx.system.shutdown import Interruption
from epigx.training.distributed import Processes
from epigx.training.output_dir import check_output, finished_run, lock_output

__all__ = ["train"]


def train(
    config: RunConfig,
    out: str | Path,
    *,
    resume: bool = False,
    force: bool = False,
    max_time: float | None = None,
    wait: bool = False,
    started: Callable[[], None] | None = None,
    progress: StepProgress | None = None,
) -> Run:
    """Train a model and write its run folder.

    A network keeps the weights with the lowest mean squared error over the validation genes. Its training can be
    stopped at any moment; the same call with ``resume`` then gives the same weights, bit for bit on the same machine.
    Processes that torchrun or srun started train together (docs/training.md): all make the same call.

    Parameters
    ----------
    config : RunConfig
        From a recipe (:mod:`epigx.recipes`) or a file (``RunConfig.load``).
    out : str or Path
        The run folder.
    resume : bool
        Continue from the last checkpoint in ``out``, or start if there is none. A finished run is returned as it is.
    force : bool
        Replace an existing run.
    max_time : float, optional
        Seconds after which to stop, with the best weights so far (``Run.finished`` is then false) and a checkpoint.
    wait : bool
        Wait while another process writes the run, instead of raising an error.
    started : callable, optional
        Called once, before the first step, after the configuration, the data and ``out`` were found to be valid.
    progress : callable, optional
        Called after each step with its number, the number of steps, and the last validation's scores.

    Raises
    ------
    InputError
        ``out`` exists and neither ``resume`` nor ``force`` is given, is not a run, or cannot be written.
    DatasetError, ConfigError
        The data lack something or do not fit the model, found before training; or the run to be resumed has another
        configuration.
    RunError
        Another process is writing the run; or the run to be resumed is damaged, or of another dataset or kernel.
    StoppedError
        SIGTERM or SIGINT came. The state was saved.
    DivergedError
        The loss is no longer a number.
    """
    processes, folder = Processes.launched(), Path(out)
    interruption = Interruption(max_time, launched=processes.count > 1)
    config.method.check_processes(processes.count)
    if resume and (run := finished_run(folder, config)) is not None:  # may be in a read-only folder
        return run
    processes.join()
    with lock_output(folder, processes, wait=wait) as lock:
        check_output(folder, config, resume=resume, force=force)
        if resume and (run := finished_run(folder, config)) is not None:  # finished while this process waited
            return run
        data = choose_training_data(config.data, config.method.needs)
        watched = _watched(lock, progress)
        session = Session(folder, config, resume, interruption, processes.leads, watched, started)
        wall, cpu = time.monotonic(), time.process_time()
        fitted = config.method.fit(data, session)
        session.start(data.inputs)  # for methods that do not call it
        if processes.leads:
            _write(folder, config, data, fitted, (time.monotonic() - wall, time.process_time() - cpu))
        processes.wait()
        return open_run(folder)


def _watched(lock: FolderLock | None, progress: StepProgress | None) -> StepProgress:
    """Report each step, unless another process has taken over the run."""

    def report(done: int, total: int, validated: Mapping[str, float]) -> None:
        if lock is not None:
            lock.check()
        if progress is not None:
            progress(done, total, validated)

    return report


def _write(
    folder: Path, config: RunConfig, data: TrainingData, fitted: FittedModel, seconds: tuple[float, float]
) -> None:
    """Write the run's files, with predictions for the validation genes and their scores."""
    predicted = fitted.predict(data.valid)
    genes = data.dataset.genes.iloc[data.valid.row]
    predictions = pd.DataFrame(
        {
            "gene_id": genes["gene_id"].to_numpy(),
            "cell_type": data.valid.cell_type,
            "chrom": genes["chrom"].to_numpy(),
            "observed": data.valid.expression,
            "predicted": predicted,
        }
    )
    scores = metrics(data.valid.expression, predicted).scores
    kept = {name: None if math.isnan(scores[name]) else scores[name] for name in ("mse", "mae", "pearson")}
    write_files(
        folder,
        config=config,
        inputs=data.inputs,
        fitted=fitted,
        metrics={"split": "valid", "step": fitted.facts.best_step, **kept, "n_genes": len(predicted)},
        provenance=_provenance(config, data, fitted, seconds),
        predictions=predictions,
    )


def _provenance(config: RunConfig, data: TrainingData, fitted: FittedModel, seconds: tuple[float, float]) -> Provenance:
    genes, facts = data.dataset.genes.iloc[data.train.row], fitted.facts
    return Provenance(
        finished=facts.finished,
        dataset=config.data.path,
        dataset_hash=data.dataset.hash,
        cell_types=config.data.cell_types,
        split=data.split,
        chromosomes_trained=tuple(dict.fromkeys(genes["chrom"])),
        genes_trained=tuple(dict.fromkeys(genes["gene_id"])),
        n_train=len(data.train),
        n_valid=len(data.valid),
        n_without_label=data.n_without_label,
        n_low_coverage=data.n_low_coverage,
        seed=config.method.seed_used,
        steps_done=facts.steps_done,
        best_step=facts.best_step,
        n_parameters=fitted.parameters(),
        versions=versions(*config.method.packages),
        device=facts.device,
        kernel=facts.kernel,
        kernel_why=facts.kernel_why,
        processes=facts.processes,
        wall_seconds=facts.wall_seconds or round(seconds[0], 3),
        cpu_seconds=facts.cpu_seconds or round(seconds[1], 3),
    )
