"""Run folders: written whole, read without Lightning, and what is reported about damage."""

from __future__ import annotations

import hashlib
import json
import shutil
from copy import copy

import numpy as np
import pandas as pd
import pytest
import torch

from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import InputError, RunError
from epigx.runs.folder import open_run, write_run
from epigx.runs.method import TrainingFacts
from epigx.runs.provenance import Provenance


@pytest.fixture
def run(tiny_run, tmp_path):
    """Return a run that may be damaged."""
    shutil.copytree(tiny_run.path, tmp_path / "run")
    return open_run(tmp_path / "run")


def test_the_model_is_plain_and_in_evaluation_mode(tiny_run, tiny_dataset):
    model, objective = tiny_run.model(), tiny_run.objective()
    assert not any(module.training for network in (model, objective) for module in network.modules())
    windows = Windows(open_dataset(tiny_dataset), "alpha", np.arange(36, 48), tiny_run.inputs)
    with torch.no_grad():
        predicted = model(windows.__getitems__(range(12))).expression
    np.testing.assert_allclose(predicted, tiny_run.predictions["predicted"], atol=1e-6)


def test_a_run_says_what_it_is_in_a_line(tiny_run):
    assert str(tiny_run.path) in repr(tiny_run)
    assert "genes_trained" not in repr(tiny_run)


@pytest.mark.parametrize(
    "name", ["config.yaml", "inputs.yaml", "model/weights.safetensors", "metrics.json", "provenance.json"]
)
def test_a_missing_file_is_reported(run, name):
    (run.path / name).unlink()
    expected = {
        "config.yaml": "is not a run: it has no config.yaml. Make one with `epigx train`",
        "provenance.json": "has no provenance.json yet: it is still training or was stopped early. Wait for it",
    }.get(name, f"{name} is missing. Train the run again, or copy")
    with pytest.raises(RunError, match=expected):
        open_run(run.path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.yaml", r"The run is damaged: .*config.yaml"),  # whole YAML or not, as chance cuts it
        ("inputs.yaml", r"The run is damaged: .*inputs.yaml"),
        ("model/weights.safetensors", r"The run is damaged: .*model/weights.safetensors was changed since"),
        ("metrics.json", r"metrics.json is not valid JSON"),
        ("provenance.json", r"provenance.json is not valid JSON"),
    ],
)
def test_a_truncated_file_is_refused(run, name, message):
    content = (run.path / name).read_bytes()
    (run.path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match=message):
        _ = open_run(run.path).fitted


def test_provenance_of_another_kind_is_reported(run):
    (run.path / "provenance.json").write_text(json.dumps({"surprise": 1}))
    with pytest.raises(RunError, match=r"The run is damaged: .*unknown key 'surprise'"):
        open_run(run.path)


def test_weights_of_another_model_are_refused_when_they_are_read(run):
    config, provenance = run.path / "config.yaml", run.path / "provenance.json"
    config.write_text(config.read_text().replace("d_model: 16", "d_model: 32"))
    checksum = hashlib.sha256(config.read_bytes()).hexdigest()
    provenance.write_text(provenance.read_text().replace(run.provenance.sha256["config.yaml"], checksum))
    with pytest.raises(RunError, match=r"has the shape .* belongs to another model than config.yaml describes"):
        open_run(run.path).model()


@pytest.mark.parametrize("name", ["config.yaml", "inputs.yaml"])
def test_a_changed_file_that_is_still_valid_is_refused(run, name):
    lines = (run.path / name).read_text().splitlines(keepends=True)
    (run.path / name).write_text("".join(lines) + "\n")
    with pytest.raises(RunError, match=rf"The run is damaged: .*{name} was changed since it was written\. Train"):
        open_run(run.path)


def test_changed_weights_are_refused(run):
    weights = run.path / "model/weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(RunError, match=r"weights\.safetensors was changed since it was written"):
        open_run(run.path).model()


def test_damaged_predictions_are_reported(run):
    (run.path / "predictions.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunError, match=r"predictions.parquet cannot be read: .* Train the run again"):
        _ = run.predictions


def written(run, folder, **changes):
    given = {
        "config": run.config,
        "inputs": run.inputs,
        "fitted": run.fitted,
        "metrics": {"mse": 0.5},
        "provenance": Provenance(origin="imported from elsewhere", chromosomes_trained=("chr1",)),
    }
    return write_run(folder, **{**given, **changes})


def test_a_run_of_imported_weights(run, tmp_path):
    other = written(run, tmp_path / "imported")
    assert (other.config, other.inputs, other.metrics) == (run.config, run.inputs, {"mse": 0.5})
    assert other.finished
    assert other.provenance.origin == "imported from elsewhere"
    assert other.log.empty
    assert other.predictions.empty
    for name, tensor in run.model().state_dict().items():
        assert torch.equal(other.model().state_dict()[name], tensor)


def test_a_run_with_log_and_predictions(run, tmp_path):
    log, predictions = pd.DataFrame({"step": [1, 2]}), pd.DataFrame({"gene_id": ["a"], "predicted": [0.5]})
    fitted = copy(run.fitted)
    fitted.facts = TrainingFacts(log=log)
    other = written(run, tmp_path / "whole", fitted=fitted, predictions=predictions)
    pd.testing.assert_frame_equal(other.log, log)
    pd.testing.assert_frame_equal(other.predictions, predictions)


def test_a_run_is_written_over_another_only_by_force(run, tmp_path):
    with pytest.raises(InputError, match="already exists"):
        written(run, run.path)
    assert written(run, run.path, force=True).metrics == {"mse": 0.5}


def test_a_run_that_cannot_be_written_leaves_nothing(run, tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        written(run, tmp_path / "new", metrics={"mse": float("nan")})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
