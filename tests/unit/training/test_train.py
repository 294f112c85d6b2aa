"""Training from a configuration to a run folder, and all the ways to be interrupted."""

from __future__ import annotations

import logging
import shutil
import signal
import threading
import time
import warnings
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from epigx.config import Config
from epigx.errors import ConfigError, DatasetError, InputError, RunError
from epigx.evaluation.evaluate import evaluate
from epigx.models import Model, PredictorModel
from epigx.models.predictor import Predictor
from epigx.runs.folder import open_run
from epigx.system.locks import lock_file, locked
from epigx.training.checkpoint import State
from epigx.training.loop import DivergedError
from epigx.training.network import StoppedError
from epigx.training.train import train
from epigx.training.weights import build_networks


class CrashError(Exception):
    """What a test throws into a training."""


def at(step, action):
    """Return a progress callback that acts once, after a step."""

    def progress(done, total, metrics):
        if done == step:
            action()

    return progress


def crash():
    raise CrashError


def files(run):
    """Return what has to be the same for two trainings of one configuration."""
    return (
        (run.path / "model/weights.safetensors").read_bytes(),
        (run.path / "metrics.json").read_bytes(),
        (run.path / "predictions.parquet").read_bytes(),
        run.log.drop(columns="seconds").to_csv(),
    )


def last_weights(run):
    return State.load(run.path / "checkpoints" / "last.ckpt").weights


def assert_same(run, other):
    assert files(run) == files(other)
    weights, expected = last_weights(run), last_weights(other)
    assert weights.keys() == expected.keys()
    for name, tensor in weights.items():
        assert torch.equal(tensor, expected[name]), name


@pytest.fixture(scope="module")
def longer(tiny_config):
    return tiny_config("training.steps=40", "training.validate_every=2", "objective.beta=0.1")


@pytest.fixture(scope="module")
def long_run(longer, tmp_path_factory):
    return train(longer, tmp_path_factory.mktemp("long") / "run")


def test_the_loss_falls_and_the_validation_genes_are_predicted(long_run):
    log = long_run.log
    assert log["train_prediction"].iloc[-1] < 0.5 * log["train_prediction"].iloc[0]
    assert log["train_intervention"].iloc[-1] < 0.5 * log["train_intervention"].iloc[0]
    assert long_run.metrics["pearson"] > 0.7


def test_the_log_has_a_row_per_validation(long_run):
    log = long_run.log
    assert log["step"].tolist() == [10, 20, 30, 40]  # 36 genes, 8 a batch: 5 steps an epoch
    assert log["epoch"].tolist() == [2, 4, 6, 8]
    assert log["seconds"].is_monotonic_increasing
    assert log["lr"].iloc[-1] == pytest.approx(0.0001, rel=0.2)
    total = log["train_prediction"] + log["train_intervention"] + 0.1 * log["train_diversity"]
    np.testing.assert_allclose(log["train_total"], total, rtol=1e-5)
    assert {"valid_mse", "valid_mae", "valid_pearson", "pattern_cosine", "pattern_sd_1", "pattern_sd_2"} < set(log)
    assert log["pattern_cosine"].between(-1, 1).all()
    assert (log["train_diversity"] > log["diversity_floor"]).all()


def test_the_best_weights_are_kept_with_their_predictions(long_run):
    log, metrics = long_run.log, long_run.metrics
    best = log.loc[log["valid_mse"].idxmin()]
    assert metrics["step"] == best["step"] == long_run.provenance.best_step
    assert metrics["mse"] == pytest.approx(best["valid_mse"], rel=1e-6)
    table = long_run.predictions
    assert metrics["mse"] == pytest.approx(np.mean((table["predicted"] - table["observed"]) ** 2), rel=1e-5)
    assert set(table["chrom"]) == {"chr3"}
    assert metrics["n_genes"] == len(table) == 12


def test_weights_that_get_worse_later_are_not_kept(tiny_config, tmp_path):
    config = tiny_config("training.lr=1.0", "training.lr_min=1.0", "training.warmup_lr=0", "training.warmup_steps=10",
                         "training.validate_every=0.2")  # fmt: skip
    run = train(config, tmp_path / "run")
    best = run.log.loc[run.log["valid_mse"].idxmin()]
    assert 1 <= best["step"] == run.metrics["step"] < 12
    assert best["valid_mse"] < 0.9 * run.log["valid_mse"].iloc[-1]
    assert run.metrics["mse"] == pytest.approx(best["valid_mse"], rel=1e-5)
    assert evaluate(run, split="valid", bootstrap=0).metrics.mse == pytest.approx(best["valid_mse"], rel=1e-5)


def test_arithmetic_is_as_before_after_training(tiny_config, tmp_path):
    train(tiny_config(), tmp_path / "run")
    assert torch.tensor(1e-30) * 1e-10 != 0


def test_gradients_are_clipped(tiny_config, tmp_path):
    # AdamW divides by the size of the gradient plus 1e-8, so that a gradient far below leaves the weights in place.
    run = train(tiny_config("training.clip=1e-14", "training.weight_decay=0"), tmp_path / "run")
    fresh = build_networks(
        run.config.method.model, run.config.method.objective, run.inputs, seed=run.config.method.training.seed
    ).model.state_dict()
    for name, tensor in run.model().state_dict().items():
        torch.testing.assert_close(tensor, fresh[name], rtol=0, atol=1e-5)


def test_provenance_describes_data_and_software(long_run, tiny_dataset):
    origin = long_run.provenance
    assert origin.finished
    assert origin.dataset == str(tiny_dataset)
    assert len(origin.dataset_hash) == 64
    assert origin.chromosomes_trained == ("chr1", "chr2")
    assert len(origin.genes_trained) == origin.n_train == 36
    assert origin.split.test == ("chr4",)
    assert (origin.seed, origin.steps_done, origin.device) == (2, 40, "cpu")
    assert origin.n_parameters["objective"] > 0
    assert origin.kernel
    assert origin.kernel_why
    assert {"epigx", "torch", "python"} <= set(origin.versions)
    assert 0 < origin.cpu_seconds < 600
    assert 0 < origin.wall_seconds < 600


def test_two_trainings_are_the_same_with_any_global_seed(tiny_config, tiny_run, tmp_path):
    torch.manual_seed(5)
    assert_same(train(tiny_config(), tmp_path / "again"), tiny_run)
    other = train(tiny_config("training.seed=3"), tmp_path / "other")
    assert files(other)[0] != files(tiny_run)[0]


@pytest.mark.parametrize("step", [7, 26])
def test_a_crash_and_a_resumption_give_the_same_weights(longer, long_run, tmp_path, step):
    with pytest.raises(CrashError):
        train(longer, tmp_path / "run", progress=at(step, crash))
    saved = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert saved.is_file() == (step > 10)
    with pytest.raises(RunError, match=r"was stopped early. Wait for it, or continue it with `epigx train --resume`"):
        open_run(tmp_path / "run")
    assert_same(train(longer, tmp_path / "run", resume=True), long_run)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_saves_the_state_in_mid_epoch(longer, long_run, tmp_path, name):
    before = signal.getsignal(getattr(signal, name))
    message = f"{name} received: stopped after 13 of 40 steps. Continue with --resume"
    with pytest.raises(StoppedError, match=message) as stopped:
        train(longer, tmp_path / "run", progress=at(13, lambda: signal.raise_signal(getattr(signal, name))))
    assert stopped.value.exit_code == 130
    assert signal.getsignal(getattr(signal, name)) == before
    assert State.load(tmp_path / "run" / "checkpoints" / "last.ckpt").step == 13
    assert_same(train(longer, tmp_path / "run", resume=True), long_run)


def test_a_signal_at_a_validation_waits_for_it(longer, long_run, tmp_path):
    with pytest.raises(StoppedError, match="after 20 of 40"):
        train(longer, tmp_path / "run", progress=at(20, lambda: signal.raise_signal(signal.SIGTERM)))
    assert len(State.load(tmp_path / "run" / "checkpoints" / "last.ckpt").rows) == 2
    assert_same(train(longer, tmp_path / "run", resume=True), long_run)


@pytest.fixture
def ctrl_c():
    """Have SIGINT raise KeyboardInterrupt, which a shell turns off for what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_signal_is_not_held_back(longer, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(longer, tmp_path / "run", progress=at(3, lambda: [signal.raise_signal(signal.SIGINT) for _ in "ab"]))
    assert signal.getsignal(signal.SIGINT) == before


def test_max_time_stops_with_a_usable_run(longer, long_run, tmp_path):
    run = train(longer, tmp_path / "run", max_time=0.0)
    assert not run.finished
    assert run.provenance.steps_done == 1
    assert run.metrics["step"] == 1
    assert run.log.empty
    run.model()
    assert_same(train(longer, tmp_path / "run", resume=True), long_run)


class Noisy(Model):
    """A model that draws in each step."""

    kind: Literal["noisy-test"] = "noisy-test"
    inner: PredictorModel

    @property
    def n_encoded(self):
        return self.inner.n_encoded

    def build(self, n_signals, n_features, window):
        return NoisyPredictor(self.inner, n_signals, n_features)


class NoisyPredictor(Predictor):
    def __init__(self, *args):
        super().__init__(*args)
        self.dropout = nn.Dropout(0.5)

    def pool(self, hidden):
        return self.dropout(super().pool(hidden))


def test_what_is_drawn_in_a_step_does_not_depend_on_a_resumption(longer, tmp_path):
    noisy = longer.method.model_copy(update={"model": Noisy(inner=longer.method.model)})
    config = longer.model_copy(update={"method": noisy}).override("training.steps=25")
    whole = train(config, tmp_path / "whole")
    with pytest.raises(StoppedError):
        train(config, tmp_path / "run", progress=at(14, lambda: signal.raise_signal(signal.SIGTERM)))
    torch.rand(7)
    assert_same(train(config, tmp_path / "run", resume=True), whole)


def test_bfloat16_trains_weights_and_predicts_in_float32(tiny_config, tmp_path):
    run = train(tiny_config("training.precision=bf16"), tmp_path / "run")
    assert {tensor.dtype for tensor in run.model().state_dict().values()} == {torch.float32}
    predicted = run.predictions["predicted"].to_numpy(copy=True)
    assert not np.array_equal(predicted, torch.from_numpy(predicted).bfloat16().float().numpy())


def test_several_cell_types_are_trained_on_together(tiny_config, tmp_path):
    run = train(tiny_config("data.cell_types=[alpha, beta]", "objective={kind: regression}"), tmp_path / "run")
    assert run.provenance.n_train == 36 + 20
    assert len(run.provenance.genes_trained) == 36
    assert set(run.predictions["cell_type"]) == {"alpha", "beta"}
    assert run.provenance.n_without_label == 48 * 2 - run.provenance.n_train - run.provenance.n_valid
    assert not [name for name in run.log if name.startswith("pattern")]


def test_genes_with_little_dna_are_left_out_and_counted(tiny_config, tmp_path):
    run = train(tiny_config("data.min_dna_coverage=0.9", "data.cell_types=[alpha]"), tmp_path / "run")
    assert run.provenance.n_low_coverage == 4  # every tenth of the 48 genes before the test chromosome
    assert run.provenance.n_train + run.provenance.n_valid == 44


def test_progress_is_called_with_every_step_and_the_last_validation(tiny_config, tmp_path):
    calls = []
    train(tiny_config(), tmp_path / "run", progress=lambda *call: calls.append(call))
    assert [(done, total) for done, total, _ in calls] == [(step, 12) for step in range(1, 13)]
    assert calls[0][2] == {}
    assert calls[-1][2]["valid_mse"] > 0


def test_the_start_is_reported_once_after_all_checks(tiny_config, tmp_path):
    calls = []
    with pytest.raises(DatasetError, match="no signal"):
        train(tiny_config("data.signals=[h3k27me3]"), tmp_path / "run", started=lambda: calls.append("started"))
    assert not calls
    call = {"started": lambda: calls.append("started"), "progress": lambda done, *_: calls.append(done)}
    train(tiny_config(), tmp_path / "run", **call)
    assert calls == ["started", *range(1, 13)]
    train(tiny_config(), tmp_path / "run", resume=True, **call)
    assert len(calls) == 13


def test_a_training_prints_and_leaves_nothing(tiny_config, tmp_path, capfd, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings(), caplog.at_level(logging.INFO):
        warnings.simplefilter("error")
        train(tiny_config(), tmp_path / "run")
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if not record.name.startswith("epigx")]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "checkpoints", "config.yaml", "inputs.yaml", "log.csv", "metrics.json", "predictions.parquet",
        "provenance.json", "model",
    }  # fmt: skip


def test_a_finished_run_is_returned_as_it_is(tiny_config, tiny_run, caplog):
    before = {path: path.stat().st_mtime_ns for path in tiny_run.path.rglob("*")}
    assert train(tiny_config(), tiny_run.path, resume=True) == tiny_run
    assert "is already finished (12 steps)." in caplog.text
    assert {path: path.stat().st_mtime_ns for path in tiny_run.path.rglob("*")} == before


def test_an_existing_run_is_replaced_only_by_force(tiny_config, tmp_path):
    run = train(tiny_config(), tmp_path / "run")
    with pytest.raises(
        InputError, match=r"already exists. Choose another folder, continue with --resume, or .* --force"
    ):
        train(tiny_config(), run.path)
    assert train(tiny_config("training.seed=3"), run.path, force=True).provenance.seed == 3
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_force_replaces_nothing_when_the_new_run_cannot_start(tiny_config, tmp_path):
    run = train(tiny_config(), tmp_path / "run")
    with pytest.raises(DatasetError, match="no signal"):
        train(tiny_config("data.signals=[h3k27me3]"), run.path, force=True)
    assert open_run(run.path) == run


def test_a_run_that_another_process_writes_is_not_changed(tiny_config, tmp_path):
    with locked(tmp_path / "run"), pytest.raises(RunError, match=r"run is being written by another process, PID"):
        train(tiny_config(), tmp_path / "run", resume=True)
    assert not list(tmp_path.iterdir())


def test_a_run_that_another_process_writes_may_be_waited_for(tiny_config, tiny_run, tmp_path):
    ended, taken = threading.Event(), threading.Event()

    def write():
        with locked(tmp_path / "run"):
            taken.set()
            ended.wait()
            shutil.copytree(tiny_run.path, tmp_path / "run")

    writer = threading.Thread(target=write)
    writer.start()
    taken.wait()
    threading.Timer(0.2, ended.set).start()
    assert train(tiny_config(), tmp_path / "run", resume=True, wait=True).metrics == tiny_run.metrics
    writer.join()


def test_a_run_that_was_taken_over_is_left_to_the_other(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setattr("epigx.system.locks.BEAT", 0.02)

    def take_over():
        lock_file(tmp_path / "run").write_text("another one's")
        time.sleep(0.2)

    with pytest.raises(RunError, match=r"run is being written by another process, which considered this one dead"):
        train(tiny_config(), tmp_path / "run", progress=at(3, take_over))
    assert not (tmp_path / "run" / "provenance.json").exists()


def test_a_run_that_cannot_be_removed_is_reported(tiny_config, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    run = train(tiny_config(), tmp_path / "run")
    monkeypatch.setattr("shutil.move", refuse)
    with pytest.raises(InputError, match=r"cannot be replaced: Permission denied. Choose another folder"):
        train(tiny_config(), run.path, force=True)
    assert open_run(run.path) == run


@pytest.mark.parametrize("how", ["resume", "force"])
def test_a_folder_that_is_not_a_run_is_not_changed(tiny_config, tmp_path, how):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"is not a run \(it has no config.yaml\), so it was not changed"):
        train(tiny_config(), tmp_path, **{how: True})
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_can_be_used(tiny_config, tmp_path):
    assert train(tiny_config(), tmp_path).finished


def test_a_run_is_resumed_with_its_own_configuration(tiny_config, tmp_path):
    train(tiny_config(), tmp_path / "run", max_time=0)
    with pytest.raises(ConfigError, match=r"another configuration: method.training.lr was 0.01 and is now 0.02"):
        train(tiny_config("training.lr=0.02"), tmp_path / "run", resume=True)


def test_a_run_is_resumed_with_its_own_kernel(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setenv("EPIGX_KERNEL", "reference")
    train(tiny_config(), tmp_path / "run", max_time=0)
    monkeypatch.setenv("EPIGX_KERNEL", "torch")
    with pytest.raises(RunError, match=r"was started with the kernel 'reference'.*EPIGX_KERNEL=reference to continue"):
        train(tiny_config(), tmp_path / "run", resume=True)


def test_a_run_is_resumed_on_its_own_data_even_if_moved(tiny_config, make_dataset, tmp_path):
    train(tiny_config(), tmp_path / "run", max_time=0)
    moved, other = make_dataset(tmp_path / "moved"), make_dataset(tmp_path / "other", seed=1)
    with pytest.raises(RunError, match="was trained on another dataset than"):
        train(tiny_config(f"data.path={other}"), tmp_path / "run", resume=True)
    assert train(tiny_config(f"data.path={moved}"), tmp_path / "run", resume=True).finished


def test_what_a_killed_process_was_writing_is_removed_by_a_resumption(tiny_config, tmp_path):
    train(tiny_config(), tmp_path / "run", max_time=0)
    (tmp_path / "run" / ".keep").touch()
    for name in (".log.csv.x1", "model/.weights.safetensors.x2", "checkpoints/.last.ckpt.x3"):
        (tmp_path / "run" / name).write_text("half of it")
    run = train(tiny_config(), tmp_path / "run", resume=True)
    assert [path.name for path in run.path.rglob(".*")] == [".keep"]


def test_a_damaged_checkpoint_is_reported(tiny_config, tmp_path):
    train(tiny_config(), tmp_path / "run", max_time=0)
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"last.ckpt cannot be read: .* Restart the run with --force"):
        train(tiny_config(), tmp_path / "run", resume=True)


def test_a_loss_that_is_no_number_ends_training_and_keeps_the_last_checkpoint(tiny_config, tmp_path):
    config = tiny_config("training.lr=1e30", "training.warmup_lr=0", "training.validate_every=0.2")
    with pytest.raises(DivergedError, match=r"NaN or infinite at step .* Lower training\.lr") as diverged:
        train(config, tmp_path / "run")
    assert diverged.value.exit_code == 1
    state = State.load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert all(tensor.isfinite().all() for tensor in state.best.weights.values())


def test_the_log_of_a_crashed_training_can_be_read(longer, tmp_path):
    with pytest.raises(CrashError):
        train(longer, tmp_path / "run", progress=at(26, crash))
    assert pd.read_csv(tmp_path / "run" / "log.csv")["step"].tolist() == [10, 20]


def test_settings_are_as_in_config_yaml(tiny_config, tiny_run):
    assert open_run(tiny_run.path).config == tiny_config()
    assert isinstance(tiny_run.inputs, Config)
