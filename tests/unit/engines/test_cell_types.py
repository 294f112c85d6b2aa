from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal

import pandas as pd
import pytest

from epigx.dataset.build.build import build
from epigx.dataset.store import open_dataset
from epigx.engines import Engine
from epigx.engines.base import attempt
from epigx.engines.cell_types import build_all, by_cell_type, predict_all
from epigx.evaluation.predict import predict


class Here(Engine):
    """Runs tasks in this process, one by one."""

    kind: Literal["here"] = "here"

    def run(self, tasks, *, progress=None):
        """Run them."""
        return [attempt(task) for task in tasks]


def test_each_cell_type_is_a_dataset_of_its_own_and_built_once(genome_files, tmp_path):
    manifest = genome_files.manifest()
    manifests = by_cell_type(manifest)
    assert {name: tuple(one.cell_types) for name, one in manifests.items()} == {n: (n,) for n in manifest.cell_types}
    first, *_ = manifests
    build(manifests[first], 100, tmp_path / first)
    calls = []
    outcomes = build_all(manifests, 100, tmp_path, engine=Here(), progress=lambda *event: calls.append(event))
    assert [outcome.state for outcome in outcomes] == ["skipped", *["done"] * (len(manifests) - 1)]
    assert calls == [(first, "skipped")]
    for name in manifests:
        assert open_dataset(tmp_path / name).cell_types == (name,)
    assert {outcome.state for outcome in build_all(manifests, 100, tmp_path, engine=Here())} == {"skipped"}
    (outcome,) = build_all({first: manifests[first]}, 50, tmp_path, engine=Here())
    assert outcome.state == "failed", "there is one of another window"
    assert "already exists. Choose another folder" in (outcome.error or "")
    assert not list(tmp_path.glob(".*")), "neither locks nor parts are left"


def test_each_cell_type_is_a_table_updated_when_the_run_is_newer(tiny_run, tiny_dataset, tmp_path):
    datasets = {"alpha": tiny_dataset, "bare": tiny_dataset}
    states = [outcome.state for outcome in predict_all([tiny_run.path], datasets, tmp_path, engine=Here())]
    assert states == ["done", "done"]
    found = pd.read_parquet(tmp_path / "bare.parquet")
    expected = predict(tiny_run, data=tiny_dataset, cell_type="bare")
    pd.testing.assert_frame_equal(found, expected)
    os.utime(tmp_path / "bare.parquet", (0, 0))
    states = [outcome.state for outcome in predict_all([tiny_run.path], datasets, tmp_path, engine=Here())]
    assert states == ["skipped", "done"]


def test_a_missing_cell_type_does_not_stop_the_others(tiny_run, tiny_dataset, tmp_path):
    outcomes = predict_all([tiny_run.path], {"gamma": tiny_dataset, "beta": tiny_dataset}, tmp_path, engine=Here())
    assert [outcome.state for outcome in outcomes] == ["failed", "done"]
    assert "gamma" in (outcomes[0].error or "")
    with pytest.raises(FileNotFoundError):
        pd.read_parquet(tmp_path / "gamma.parquet")


def test_a_dataset_of_another_manifest_is_not_reused(genome_files, tmp_path):
    (name, manifest), *_ = by_cell_type(genome_files.manifest()).items()
    build(manifest, 100, tmp_path / name)
    first, *_ = manifest.signals
    other = {first: manifest.signals[first].model_copy(update={"transform": "asinh"})}
    changed = manifest.model_copy(update={"signals": {**manifest.signals, **other}})
    (outcome,) = build_all({name: changed}, 100, tmp_path, engine=Here())
    assert outcome.state == "failed"
    assert "already exists. Choose another folder" in (outcome.error or "")


def test_a_table_of_other_runs_is_updated(tiny_run, tiny_dataset, tmp_path):
    old = Path(shutil.copytree(tiny_run.path, tmp_path / "old"))
    for runs, state in (([old], "done"), ([old, tiny_run.path], "done"), ([old, tiny_run.path], "skipped")):
        (outcome,) = predict_all(runs, {"beta": tiny_dataset}, tmp_path, engine=Here())
        assert outcome.state == state
    assert "sd" in pd.read_parquet(tmp_path / "beta.parquet")
    (tmp_path / "beta.parquet").write_bytes(b"cut short")
    (outcome,) = predict_all(runs, {"beta": tiny_dataset}, tmp_path, engine=Here())
    assert outcome.state == "done"
