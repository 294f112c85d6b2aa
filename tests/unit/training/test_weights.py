"""Model and objective, and their weights in one file."""

from __future__ import annotations

import resource

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from epigx.errors import ConfigError, InputError, RunError
from epigx.training.weights import Networks, build_networks, read_weights, weight_names, write_weights


def test_the_seed_alone_decides_the_weights(tiny_config, tiny_run):
    torch.manual_seed(1)
    one = build_networks(tiny_config(), tiny_run.inputs, seed=3).weights()
    torch.manual_seed(2)
    drawn = torch.rand(1)
    torch.manual_seed(2)
    same = build_networks(tiny_config(), tiny_run.inputs, seed=3).weights()
    assert torch.rand(1) == drawn  # the global generator was left as it was
    other = build_networks(tiny_config(), tiny_run.inputs, seed=4).weights()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_layers_computed_anew(tiny_config, tiny_run):
    plain = build_networks(tiny_config(), tiny_run.inputs)
    anew = build_networks(tiny_config("training.checkpoint_layers=true"), tiny_run.inputs)
    assert not plain.model.backbone.checkpoint_layers
    assert anew.model.backbone.checkpoint_layers


def test_no_layers_to_compute_anew(tiny_config, tiny_run, monkeypatch):
    monkeypatch.setattr("epigx.training.weights.checkpoint_layers", lambda model: False)
    with pytest.raises(ConfigError, match=r"^training\.checkpoint_layers is true, and the model has no layers that "):
        build_networks(tiny_config("training.checkpoint_layers=true"), tiny_run.inputs)


def networks():
    return Networks(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_weights_that_do_not_fit_on_the_disk(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(
            InputError, match=r"weights\.safetensors cannot be written: File too large\. Free some space"
        ):
            write_weights(tmp_path / "model/weights.safetensors", networks())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_weights_come_back_bit_for_bit(tmp_path):
    saved, loaded = networks(), networks()
    saved.objective.running_mean += 0.1
    write_weights(tmp_path / "model/weights.safetensors", saved)
    read_weights(tmp_path / "model/weights.safetensors", loaded)
    for name, tensor in saved.weights().items():
        assert torch.equal(loaded.weights()[name], tensor), name
    assert weight_names(tmp_path / "model/weights.safetensors") == saved.weights().keys()
    assert saved.parameters() == {"model": 8, "objective": 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("model.bias"), "lacks 'model.bias': it belongs to another model"),
        (lambda w: w.update(extra=torch.zeros(1)), "has, and the model lacks, 'extra'"),
        (lambda w: w.update({"model.bias": torch.zeros(5)}), r"'model.bias' has the shape \(5,\) instead of \(2,\)"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path, change, message):
    path = tmp_path / "model/weights.safetensors"
    write_weights(path, networks())
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    with pytest.raises(RunError, match=message):
        read_weights(path, networks())


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_file_cut_short_is_told_from_its_header(tmp_path, keep):
    path = tmp_path / "model/weights.safetensors"
    write_weights(path, networks())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"model/weights.safetensors cannot be read: .* Copy the run again"):
        weight_names(path)
