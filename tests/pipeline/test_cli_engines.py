"""Building, training and predicting many cell types on an engine, from the command line."""

from __future__ import annotations

import json
import logging

import pandas as pd
import pytest

from epigx.dataset.store import open_dataset
from epigx.runs.folder import open_run

WINDOW = 128
RIDGE = ("train", "ridge", "--data", "DATA", "-o", "y")
ENGINE = ("--engine", "slurm", "--set", "engine.cluster=debug")


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Return the options of an engine that runs tasks in this process."""
    # submitit does not close the log files of its debug executor.
    monkeypatch.setattr("submitit.local.debug.logging.FileHandler", lambda path: logging.NullHandler())
    return (*ENGINE, "--set", f"engine.logs={tmp_path / 'logs'}")


def test_each_cell_type_becomes_a_dataset_and_finished_ones_are_skipped(epigx, genome, tmp_path, engine):
    build = ("build", genome / "manifest.yaml", "--window", WINDOW, "-o", tmp_path / "data", *engine)
    ended = epigx(*build)
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [str(tmp_path / "data" / name) for name in ("simA", "simB")]
    assert open_dataset(tmp_path / "data" / "simB").cell_types == ("simB",)
    again = epigx(*build, "--json")
    assert [outcome["state"] for outcome in json.loads(again.out)] == ["skipped", "skipped"]


def test_each_cell_type_becomes_a_table_and_one_that_fails_is_reported(epigx, run, dataset, tmp_path, engine):
    predict = ("predict", run, "--data", dataset, "-o", tmp_path / "tables", *engine)
    ended = epigx(*predict)
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [str(tmp_path / "tables" / f"{name}.parquet") for name in ("simA", "simB")]
    assert len(pd.read_parquet(tmp_path / "tables" / "simB.parquet")) == 42
    ended = epigx(*predict, "--cell-type", "simC")
    assert (ended.status, ended.out) == (1, "")
    assert "Warning: simC failed: " in ended.err


def test_each_cell_type_and_seed_becomes_a_run(epigx, dataset, tmp_path, engine):
    small = ("--scale", "small", "--steps", 2, "--window", 64, "--seed", 2, "--seed", 22)
    train = ("train", "caduceus", "--data", dataset, *small, "-o", tmp_path / "runs", *engine)
    ended = epigx(*train)
    assert ended.status == 0, ended.err
    names = [f"{cell_type}-{seed}" for cell_type in ("simA", "simB") for seed in (2, 22)]
    assert ended.out.splitlines() == [str(tmp_path / "runs" / name) for name in names]
    run = open_run(tmp_path / "runs" / "simB-22")
    assert (run.config.data.cell_types, run.provenance.seed, run.provenance.steps_done) == (("simB",), 22, 2)
    assert epigx(*train).out == ended.out


def test_a_method_without_randomness_is_one_run_for_each_cell_type(epigx, dataset, tmp_path, engine):
    ended = epigx("train", "ridge", "--data", dataset, "--seed", 2, "--seed", 22, "-o", tmp_path / "runs", *engine)
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [str(tmp_path / "runs" / name) for name in ("simA", "simB")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["build", "MANIFEST", "-o", "data", "--engine", "local", "--force"], "--force does not work with --engine."),
        (["build", "MANIFEST", "-o", "data", "--set", "engine.mem=2"], "--set engine.mem=2 needs --engine."),
        (["build", "MANIFEST", "-o", "data", "--engine", "local", "--jobs", "0"], "--jobs 0: jobs"),
        (["predict", "RUN", "--engine", "local"], "--engine needs --data DATASET and --out FOLDER."),
        (["predict", "RUN", "--data", "x", "-o", "y", "--engine", "local", "--split", "test"], "Leave out --split"),
        (["predict", "RUN", "--data", "x", "-o", "y", "--engine", "local", "--set", "a=1"], "--set a=1 is not a "),
        (["predict", "RUN", "--data", "x", "-o", "y", "--engine", "local", "--gene", "A"], "Leave out --gene"),
        (["predict", "RUN", "--set", "engine.jobs=2"], "--set engine.jobs=2 needs --engine."),
        ([*RIDGE, "--seed", "2", "--seed", "22"], "Several --seed need --engine"),
        ([*RIDGE, "--engine", "local", "--max-time", "1h"], "--max-time does not work with --engine."),
        ([*RIDGE, "--engine", "local", "--cell-type", "simC"], "has no cell type 'simC'"),
        ([*RIDGE, "--set", "engine.jobs=2"], "--set engine.jobs=2 needs --engine."),
        (["train", "ridge", "-o", "y", "--engine", "local"], "The recipe 'ridge' needs a dataset."),
    ],
)  # fmt: skip
def test_wrong_arguments(refused, genome, dataset, run, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    names = {"MANIFEST": genome / "manifest.yaml", "RUN": run, "DATA": dataset}
    assert said in refused(*(names.get(word, word) for word in words))
