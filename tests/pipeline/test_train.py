"""Training in a process that is killed or stopped, and resumed."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from epigx.runs.folder import open_run
from epigx.training.checkpoint import State
from epigx.training.train import train

SCRIPT = """
import os, sys
import epigx
from epigx.runs.config import RunConfig

config, out, name, step = RunConfig.load(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

def progress(done, total, metrics):
    if done == step:
        os.kill(os.getpid(), int(name))

try:
    epigx.train(config, out, progress=progress)
except epigx.errors.EpigxError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture(scope="module")
def config(tiny_config):
    return tiny_config("training.steps=20", "training.validate_every=1", "objective.n_patterns=3")


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """Return the run that nothing interrupted."""
    return train(config, tmp_path_factory.mktemp("whole") / "run")


def interrupted(config, folder, number, step):
    (folder / "config.yaml").write_text(config.dump())
    command = [sys.executable, "-W", "error", "-c", SCRIPT, folder / "config.yaml", folder / "run"]
    return subprocess.run([*command, str(int(number)), str(step)], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("number", "status", "kept"), [(signal.SIGKILL, -signal.SIGKILL, 10), (signal.SIGTERM, 130, 13)]
)
def test_a_training_stopped_in_mid_epoch_resumes_to_the_same_weights(config, whole, tmp_path, number, status, kept):
    ended = interrupted(config, tmp_path, number, 13)
    assert ended.returncode == status, ended.stderr
    assert ended.stderr == ""
    assert State.load(tmp_path / "run" / "checkpoints" / "last.ckpt").step == kept
    resumed = train(config, tmp_path / "run", resume=True)
    assert resumed == open_run(tmp_path / "run")
    for name in ("model/weights.safetensors", "metrics.json", "predictions.parquet", "inputs.yaml", "config.yaml"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert resumed.log.drop(columns="seconds").equals(whole.log.drop(columns="seconds"))
    assert not list(resumed.path.rglob(".*")), "nothing half-written is left"
