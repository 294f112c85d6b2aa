"""The folder that a run is written to: what may stand there, and one process at a time that writes it."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from epigx.config import Config
from epigx.errors import ConfigError, EpigxError, InputError, RunError
from epigx.runs.config import RunConfig
from epigx.runs.folder import Run, open_run
from epigx.system.locks import Hold, held
from epigx.training.distributed import Processes

__all__ = ["alone", "check_output", "finished_run", "remove_run"]

_log = logging.getLogger(__name__)


@contextmanager
def alone(folder: Path, processes: Processes, *, wait: bool) -> Iterator[Hold | None]:
    """Hold a run's folder, in the one of the processes that writes it; all of them hear when that is refused.

    Raises
    ------
    RunError
        Another process writes the run, and ``wait`` is false.
    InputError
        Nothing can be written there.
    """
    with ExitStack() as stack:
        hold: Hold | None = None
        refusal: EpigxError | None = None
        if processes.leads:
            try:
                hold = stack.enter_context(held(folder, wait=wait))
            except EpigxError as error:
                refusal = error
        if processes.sum(float(refusal is not None)):
            raise refusal or RunError(f"{folder} cannot be written now. The leading process says why.")
        yield hold


def check_output(folder: Path, config: RunConfig, *, resume: bool, force: bool) -> None:
    """Refuse a folder that must not be written to, before any work.

    Raises
    ------
    InputError
        The folder holds something, and neither ``resume`` nor ``force`` is given or it is no run.
    ConfigError
        The run to be resumed has another configuration.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (resume or force):
        raise InputError(
            f"{folder} already exists. Choose another folder, go on with --resume, or replace it with --force."
        )
    if not (folder / "config.yaml").is_file():
        raise InputError(f"{folder} is not a run (it has no config.yaml) and is left alone. Choose another folder.")
    if resume and (differs := _first_difference(RunConfig.load(folder / "config.yaml"), config)):
        raise ConfigError(f"{folder} was started with another configuration: {differs}. Resume it with its own.")


def finished_run(folder: Path, config: RunConfig) -> Run | None:
    """Return the run that is to be resumed, if nothing of it is left to do."""
    if not (folder / "provenance.json").is_file():
        return None
    check_output(folder, config, resume=True, force=False)
    run = open_run(folder)
    if run.finished:
        _log.warning("%s is finished after %s steps: nothing is left to do.", folder, f"{run.provenance.steps_done:,}")
    return run if run.finished else None


def remove_run(folder: Path) -> None:
    """Remove a run, out of the way by one rename first, so that half of one is never taken for a whole.

    Raises
    ------
    InputError
        The folder cannot be moved.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.old.", dir=folder.parent) as old:
            shutil.move(folder, old)
    except OSError as error:
        raise InputError(f"{folder} cannot be replaced: {error.strerror}. Choose another folder.") from error


def _first_difference(old: Config, new: Config) -> str:
    """Say the first value in which two configurations differ; a dataset may have moved, so its path does not count."""
    one, other = (_flat(config.model_dump(mode="json")) for config in (old, new))
    for key in {**one, **other}:
        if key != "data.path" and one.get(key) != other.get(key):
            return f"{key} is {one.get(key)!r} there and {other.get(key)!r} here"
    return ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found
