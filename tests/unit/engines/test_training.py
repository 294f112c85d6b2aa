"""Which runs are left to do, and what they need; tests/pipeline/test_engines.py trains them on engines."""

from __future__ import annotations

import shutil
from typing import Literal

import pytest
import torch

from epigx.engines import Engine, Outcome
from epigx.engines.training import memory_gb, train_all, train_one
from epigx.recipes import caduceus_signals, enformer, epinformer, hyenadna, infer, seq2exp_hard, seq2exp_soft


class Noting(Engine):
    """Does nothing, and says that it did."""

    kind: Literal["noting"] = "noting"

    def threads_each(self, tasks: int) -> int:
        """Tell how many tasks there are."""
        return tasks

    def run(self, tasks, *, progress=None):
        """Keep what was asked for."""
        Noting.asked = list(tasks)
        return [Outcome(task.name, "done") for task in tasks]


def test_finished_runs_are_skipped_even_if_their_dataset_has_moved(tiny_config, tiny_run, tmp_path):
    for name in ("a", "b", "c"):
        shutil.copytree(tiny_run.path, tmp_path / name)
    (tmp_path / "c" / "provenance.json").unlink()
    moved = tiny_config("data.path=elsewhere")
    runs = {"a": moved, "b": tiny_config("training.lr=0.02"), "c": tiny_config(), "d": tiny_config()}
    calls = []
    outcomes = train_all(runs, tmp_path, engine=Noting(), progress=lambda *event: calls.append(event))
    assert [(outcome.name, outcome.state) for outcome in outcomes] == [
        ("a", "skipped"), ("b", "done"), ("c", "done"), ("d", "done"),
    ]  # fmt: skip
    assert calls == [("a", "skipped")]
    assert [task.name for task in Noting.asked] == ["b", "c", "d"]
    assert [task.function for task in Noting.asked] == [train_one] * 3
    assert Noting.asked[2].arguments == (tiny_config(), tmp_path / "d", 1)


def test_threads_are_those_of_the_run_or_as_many_as_the_engine_gives(tiny_config, tmp_path):
    runs = {"a": tiny_config("training.threads=5"), "b": tiny_config("training.threads=null")}
    train_all(runs, tmp_path, engine=Noting())
    assert [(task.threads, task.arguments[2]) for task in Noting.asked] == [(5, 5), (2, 2)]


def test_memory_grows_with_the_batch_the_window_and_the_predictions(tiny_dataset):
    def need(recipe, *overrides, window=2_000):
        return memory_gb(recipe(data=tiny_dataset, cell_type="alpha", window=window).override(*overrides))

    plain = need(caduceus_signals)
    # 0.6 GB of hidden states for 8 windows of 2 kb, and InFER predicts three times.
    assert plain == pytest.approx(1.0 + 16_000 * 36e-6, rel=0.05)
    assert need(infer) == pytest.approx(1.0 + 3 * 16_000 * 36e-6, rel=0.05)
    assert need(caduceus_signals, "training.batch_size=16") - 1 == pytest.approx(2 * (plain - 1), rel=0.05)
    assert need(caduceus_signals, "training.checkpoint_layers=true") == pytest.approx(1.0 + 16_000 * 12e-6, rel=0.05)
    assert need(caduceus_signals, window=20_000) > 6
    assert need(caduceus_signals, window=None) < 1.1, "the dataset's window has 128 bp"
    assert need(enformer) > 5, "a quarter of a billion weights"
    assert need(caduceus_signals, "data.path=nowhere", window=None) == plain, (
        "its own run tells that there is no dataset"
    )


def test_a_model_that_cannot_be_built_is_left_to_its_run(tiny_config):
    assert memory_gb(tiny_config("model.resolution=7")) > 0


def test_a_finished_run_of_another_dataset_is_not_reused(tiny_config, tiny_run, make_dataset, tmp_path):
    shutil.copytree(tiny_run.path, tmp_path / "a")
    other = make_dataset(tmp_path / "data", seed=1)
    calls = []
    (outcome,) = train_all(
        {"a": tiny_config(f"data.path={other}")}, tmp_path, engine=Noting(), progress=lambda *event: calls.append(event)
    )
    assert outcome.state == "failed"
    assert outcome.error == (
        f"{tmp_path / 'a'} was trained on another dataset than {other} holds now. Remove the folder to train again."
    )
    assert calls == [("a", "failed")]


def test_memory_of_systems_that_read_more_than_their_window(tiny_dataset):
    def hidden(recipe, *overrides, **settings):
        config = recipe(data=tiny_dataset, cell_type="alpha", **settings).override(*overrides)
        with torch.device("meta"):
            network = config.method.model.build(3, 9, config.data.window)
        weights = sum(parameter.numel() for parameter in network.parameters())
        return memory_gb(config) - 1.0 - 20e-9 * weights

    once = hidden(caduceus_signals, window=4_000)
    assert hidden(seq2exp_soft, window=4_000) == pytest.approx(2 * once)
    assert hidden(seq2exp_hard, window=4_000) == pytest.approx(2 * once)
    assert hidden(epinformer) == pytest.approx(16 * 61 * 2_000 * 384 * 30e-9)
    assert hidden(hyenadna, window=4_000) == pytest.approx(2 * once)
    assert hidden(enformer, window=200_000) == pytest.approx(4 * 196_608 * 1_536 * 50e-9)
    adjusted = "objective.kind=input_backdoor"
    assert hidden(caduceus_signals, adjusted, window=4_000) == pytest.approx(3 * once)
    dropped = "objective.kind=signal_dropout"
    assert hidden(caduceus_signals, dropped, window=4_000) == pytest.approx(once)
    assert hidden(caduceus_signals, dropped, "objective.intact=1", window=4_000) == pytest.approx(2 * once)
