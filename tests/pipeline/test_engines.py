"""Trainings on every engine come to the weights of a training alone, whatever is stopped or killed on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from epigx.engines import Dask, Local, Slurm
from epigx.engines.training import train_all
from epigx.runs.folder import open_run
from epigx.system.locks import lock_file
from epigx.training.checkpoint import State
from epigx.training.train import train

STEPS = 80

SCRIPT = """
import sys
from epigx.engines import Local
from epigx.engines.training import train_all
from epigx.runs.config import RunConfig

if __name__ == "__main__":
    run = {"stopped": RunConfig.load(sys.argv[1])}
    train_all(run, sys.argv[2], engine=Local(jobs=1))
"""


@pytest.fixture(scope="module")
def config(tiny_config):
    """Return a training that is long enough to be disturbed, with a checkpoint after every third step."""
    return tiny_config(f"training.steps={STEPS}", "training.validate_every=0.5")


@pytest.fixture(scope="module")
def alone(config, tmp_path_factory):
    """Return the same training, undisturbed."""
    return train(config, tmp_path_factory.mktemp("alone") / "run")


def _owner_once_saved(folder) -> int:
    """Wait for the first checkpoint of a run, and return the number of the process that trains it."""
    deadline = time.monotonic() + 240  # imports take long where cores are scarce
    while not (folder / "checkpoints" / "last.ckpt").is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    return int(json.loads(lock_file(folder).read_text())["pid"])


def _same(folder, alone) -> bool:
    """Whether a run has come to the same weights and the same log, but for the time it took."""
    run = open_run(folder)
    logs = [each.log.drop(columns="seconds") for each in (run, alone)]
    weights = [(each.path / "model/weights.safetensors").read_bytes() for each in (run, alone)]
    return run.finished and logs[0].equals(logs[1]) and weights[0] == weights[1]


@pytest.mark.slow
def test_of_two_dask_workers_one_is_killed_and_nothing_is_lost_or_run_twice(config, alone, tmp_path):
    before = Path(shutil.copytree(alone.path, tmp_path / "before"))
    stamps = {path: path.stat().st_mtime_ns for path in before.rglob("*")}
    found = {}

    def kill():
        found["owner"] = _owner_once_saved(tmp_path / "killed")
        found["folder"] = (tmp_path / "killed").stat().st_ino
        os.kill(found["owner"], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    told = []
    outcomes = train_all(
        {"before": config, "killed": config, "other": config},
        tmp_path,
        engine=Dask(workers=2),
        progress=lambda *event: told.append(event),
    )
    killer.join()
    assert [outcome.state for outcome in outcomes] == ["skipped", "done", "done"], outcomes
    assert sorted(told) == [
        ("before", "skipped"), ("killed", "done"), ("killed", "started"), ("other", "done"), ("other", "started"),
    ]  # fmt: skip
    assert _same(tmp_path / "killed", alone)
    assert _same(tmp_path / "other", alone)
    assert (tmp_path / "killed").stat().st_ino == found["folder"], "it went on from the checkpoint, and not anew"
    assert stamps == {path: path.stat().st_mtime_ns for path in before.rglob("*")}
    assert not list(tmp_path.glob(".*")), "no lock is left"


@pytest.mark.slow
def test_ctrl_c_saves_what_the_pool_was_at_and_slurm_ends_it(config, alone, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "run.yaml").write_text(config.dump())
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path / "run.yaml", tmp_path],
        start_new_session=True,  # a terminal sends Ctrl-C to all processes of a command
        stderr=subprocess.PIPE,
        text=True,
    )
    owner = _owner_once_saved(tmp_path / "stopped")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt"), errors
    with pytest.raises(ProcessLookupError):
        os.kill(owner, 0)
    assert not lock_file(tmp_path / "stopped").exists()
    assert 0 < State.load(tmp_path / "stopped" / "checkpoints" / "last.ckpt").step < STEPS

    engine = Slurm(cluster="local", logs=str(tmp_path / "logs"))
    (outcome,) = train_all({"stopped": config}, tmp_path, engine=engine)
    assert (outcome.state, outcome.error) == ("done", None)
    assert _same(tmp_path / "stopped", alone)


@pytest.mark.slow
def test_a_run_that_fails_stops_no_other_and_finished_ones_are_skipped(tiny_config, tiny_run, tmp_path):
    good = tiny_config()
    bad = tiny_config("data.signals=[h3k27me3]")
    engine = Local(jobs=1)
    failed, done = train_all({"bad": bad, "good": good}, tmp_path, engine=engine)
    assert (failed.state, done.state) == ("failed", "done")
    assert "no signal" in (failed.error or "")
    assert open_run(tmp_path / "good").metrics == tiny_run.metrics
    assert train_all({"good": good}, tmp_path, engine=engine)[0].state == "skipped"
    (other,) = train_all({"good": good.override("training.seed=3")}, tmp_path, engine=engine)
    assert other.state == "failed"
    assert "was started with another configuration: method.training.seed was 2 and is now 3" in (other.error or "")
