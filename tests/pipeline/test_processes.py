"""Two processes train the same model as one: losses, weights, validation, resumption."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from epigx.dataset.order import Shard
from epigx.errors import ConfigError
from epigx.recipes import caduceus_signals, infer
from epigx.runs.folder import open_run
from epigx.training.checkpoint import State
from epigx.training.distributed import Processes
from epigx.training.train import train

STEPS, STOP = 24, 7

# The script of each of the two processes.
WORKER = """
import signal, sys
from pathlib import Path
import torch
import epigx
from epigx.cli import main
from epigx.layers.batch_norm import BatchNorm, dealt_out
from epigx.runs.config import RunConfig
from epigx.training.distributed import Processes

folder, processes = Path(sys.argv[1]), Processes.launched()
assert main(["train", str(folder / "infer.yaml"), "-o", str(folder / "infer")]) == 0
epigx.train(RunConfig.load(folder / "plain.yaml"), folder / "plain")

def stop(done, total, metrics):  # one of the two gets a signal, and both must stop
    if done == int(sys.argv[2]) and processes.rank == 1:
        signal.raise_signal(signal.SIGTERM)

config = RunConfig.load(folder / "infer.yaml")
try:
    epigx.train(config, folder / "stopped", progress=stop)
except epigx.errors.EpigxError as stopped:
    (folder / f"stopped-{processes.rank}").write_text(f"{type(stopped).__name__}: {stopped}")
run = epigx.train(config, folder / "stopped", resume=True)
assert run == epigx.train(config, folder / "stopped", resume=True)

x = processes.shard.of(torch.load(folder / "x.pt")).requires_grad_()
layer = BatchNorm(3)
with dealt_out():
    out = layer(x)
processes.wait()
(out.square() * x).sum().backward()
torch.save([out, x.grad, layer.state_dict()], folder / f"x-{processes.rank}.pt")
"""


@pytest.fixture(scope="module")
def configs(dataset):
    """Return InFER and plain training, with batches of odd size and one of a single gene."""
    small = ["model.backbone.d_model=8", "model.backbone.n_layers=1", f"training.steps={STEPS}",
             "training.warmup_steps=2", "training.lr=0.002", "training.threads=1", "training.validate_every=0.1",
             ]  # fmt: skip
    return {
        name: recipe(data=dataset, cell_type="simA", window=None).override(*small, f"training.batch_size={size}")
        for name, recipe, size in (("infer", infer, 3), ("plain", caduceus_signals, 7))
    }


@pytest.fixture(scope="module")
def one_process(configs, tmp_path_factory):
    """Return the two runs of a single process."""
    folder = tmp_path_factory.mktemp("one_process")
    return {name: train(config, folder / name) for name, config in configs.items()}


@pytest.fixture(scope="module")
def two_processes(configs, tmp_path_factory):
    """Return the folder that two processes wrote, and their output."""
    folder = tmp_path_factory.mktemp("two_processes")
    for name, config in configs.items():
        (folder / f"{name}.yaml").write_text(config.dump())
    torch.save(torch.randn(5, 3, 11, generator=torch.Generator().manual_seed(0)) + 10, folder / "x.pt")
    (folder / "worker.py").write_text(WORKER)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    ended = subprocess.run(
        [sys.executable, *launcher, folder / "worker.py", folder, str(STOP)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=250,
    )
    assert ended.returncode == 0, ended.stderr
    return folder, ended


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infer", "plain"])
def test_the_loss_curve_is_that_of_one_process(one_process, two_processes, name):
    run, other = one_process[name], open_run(two_processes[0] / name)
    assert run.provenance.n_train % run.config.method.training.batch_size == 1, (
        "the last batch has fewer genes than processes"
    )
    assert len(run.log) == STEPS
    # Not the patterns of the validation genes: see the weights below.
    columns = [column for column in run.log if column != "seconds" and not column.startswith("pattern")]
    assert "train_total" in columns
    assert "valid_pearson" in columns
    pd.testing.assert_frame_equal(run.log[columns], other.log[columns], rtol=1e-5, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infer", "plain"])
def test_the_weights_and_predictions_are_those_of_one_process(one_process, two_processes, name):
    run, other = one_process[name], open_run(two_processes[0] / name)
    theirs = State.load(other.path / "checkpoints" / "last.ckpt").weights
    for key, weight in State.load(run.path / "checkpoints" / "last.ckpt").weights.items():
        # Batch normalisation subtracts the mean, so the gradient of the bias before it is pure rounding, which AdamW
        # scales up.
        if not key.endswith((".0.bias", "running_mean")) or "convolutions" not in key:
            torch.testing.assert_close(theirs[key], weight, rtol=1e-5, atol=1e-6, msg=key)
    assert run.predictions["gene_id"].equals(other.predictions["gene_id"])
    np.testing.assert_allclose(run.predictions["predicted"], other.predictions["predicted"], rtol=1e-5)
    assert other.metrics["n_genes"] == run.metrics["n_genes"]
    assert other.metrics["mse"] == pytest.approx(run.metrics["mse"], rel=1e-6)


@pytest.mark.slow
def test_provenance_counts_the_processes_and_only_one_prints(two_processes):
    folder, ended = two_processes
    origin = open_run(folder / "infer").provenance
    assert (origin.processes, origin.finished) == (2, True)
    assert 0 < origin.cpu_seconds < 600
    assert ended.stdout == f"{folder / 'infer'}\n"
    assert ended.stderr.count("Device: ") == 1
    assert f"{STEPS} steps, seed 2, 2 processes." in ended.stderr


@pytest.mark.slow
def test_a_signal_to_one_stops_both_and_resuming_gives_the_same_weights(two_processes):
    folder, _ = two_processes
    for rank in (0, 1):
        message = (folder / f"stopped-{rank}").read_text()
        assert message == (
            f"StoppedError: SIGTERM received: stopped after {STOP} of {STEPS} steps. Continue with --resume."
        )
    for name in ("model/weights.safetensors", "metrics.json", "predictions.parquet"):
        assert (folder / "stopped" / name).read_bytes() == (folder / "infer" / name).read_bytes(), name
    logs = [open_run(folder / name).log.drop(columns="seconds") for name in ("stopped", "infer")]
    pd.testing.assert_frame_equal(*logs, check_exact=True)
    assert not list(folder.rglob(".*"))


@pytest.mark.slow
def test_batch_statistics_are_those_of_both(two_processes):
    folder, _ = two_processes
    x = torch.load(folder / "x.pt").requires_grad_()
    layer = nn.BatchNorm1d(3)
    out = layer(x)
    (out.square() * x).sum().backward()
    for rank in (0, 1):
        shard = Shard(rank, 2)
        found, gradient, state = torch.load(folder / f"x-{rank}.pt")
        torch.testing.assert_close(found, shard.of(out), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(gradient, shard.of(x.grad), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(dict(state), dict(layer.state_dict()))


def test_one_process_can_resume_a_run_of_two(configs, tmp_path, caplog):
    config, out = configs["infer"], tmp_path / "run"
    train(config, out, max_time=0)
    state = State.load(out / "checkpoints" / "last.ckpt")
    state.processes = 2
    state.save(out / "checkpoints" / "last.ckpt")
    train(config, out, resume=True, max_time=0)
    assert (
        "was started with 2 processes and continues with 1: its weights will be the same up to rounding, not bit "
        "for bit."
    ) in caplog.text


def test_a_step_needs_a_gene_for_each_process(configs, tmp_path, monkeypatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "5", "LOCAL_RANK": "0", "MASTER_ADDR": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"batch_size \(3\) is below the number of processes \(5\), .* Raise it, or"):
        train(configs["infer"], tmp_path / "run")
    assert Processes.launched() == Processes(0, 5, 0)
