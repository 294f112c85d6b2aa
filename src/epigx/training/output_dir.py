"""Check and lock the folder that a run is written to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from epigx.config import Config
from epigx.errors import ConfigError, EpigxError, InputError, RunError
from epigx.runs.config import RunConfig
from epigx.runs.folder import Run, open_run
from epigx.system.locks import FolderLock, locked
from epigx.training.distributed import Processes

__all__ = ["check_output", "finished_run", "lock_output"]

_log = logging.getLogger(__name__)


@contextmanager
def lock_output(folder: Path, processes: Processes, *, wait: bool) -> Iterator[FolderLock | None]:
    """Lock a run's folder in the process that writes it; all processes raise when that is refused."""
    with ExitStack() as stack:
        lock: FolderLock | None = None
        refusal: EpigxError | None = None
        if processes.leads:
            try:
                lock = stack.enter_context(locked(folder, wait=wait))
            except EpigxError as error:
                refusal = error
        if processes.sum(float(refusal is not None)):
            raise refusal or RunError(f"{folder} cannot be written now; see the error of the first process.")
        yield lock


def check_output(folder: Path, config: RunConfig, *, resume: bool, force: bool) -> None:
    """Check, before any work, that the folder may be written to.

    Raises
    ------
    InputError
        The folder is not empty, and neither ``resume`` nor ``force`` is given, or it is not a run.
    ConfigError
        The run to be resumed has another configuration.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (resume or force):
        raise InputError(
            f"{folder} already exists. Choose another folder, continue with --resume, or replace it with --force."
        )
    if not (folder / "config.yaml").is_file():
        raise InputError(
            f"{folder} is not a run (it has no config.yaml), so it was not changed. Choose another folder."
        )
    if resume and (differs := _first_difference(RunConfig.load(folder / "config.yaml"), config)):
        raise ConfigError(f"{folder} was started with another configuration: {differs}. Resume it with its own.")


def finished_run(folder: Path, config: RunConfig) -> Run | None:
    """Return the run that is to be resumed, if it is finished."""
    if not (folder / "provenance.json").is_file():
        return None
    check_output(folder, config, resume=True, force=False)
    run = open_run(folder)
    if run.finished:
        _log.warning("%s is already finished (%s steps).", folder, f"{run.provenance.steps_done:,}")
    return run if run.finished else None


def _first_difference(old: Config, new: Config) -> str:
    """Return the first value in which two configurations differ; a dataset may have moved, so its path is ignored."""
    one, other = (_flat(config.model_dump(mode="json")) for config in (old, new))
    for key in {**one, **other}:
        if key != "data.path" and one.get(key) != other.get(key):
            return f"{key} was {one.get(key)!r} and is now {other.get(key)!r}"
    return ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
