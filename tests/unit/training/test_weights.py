"""Model and objective, and their weights in one file."""

from __future__ import annotations

import resource

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from epigx.errors import ConfigError, InputError, RunError
from epigx.training.weights import Networks, build_networks, read_weights, write_weights


def networks_of(config, inputs, **settings):
    method = config.method
    layers = method.training.checkpoint_layers
    return build_networks(method.model, method.objective, inputs, recompute_layers=layers, **settings)


def test_only_the_seed_decides_the_weights(tiny_config, tiny_run):
    torch.manual_seed(1)
    one = networks_of(tiny_config(), tiny_run.inputs, seed=3).weights()
    torch.manual_seed(2)
    drawn = torch.rand(1)
    torch.manual_seed(2)
    same = networks_of(tiny_config(), tiny_run.inputs, seed=3).weights()
    assert torch.rand(1) == drawn  # the global generator was left as it was
    other = networks_of(tiny_config(), tiny_run.inputs, seed=4).weights()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_recomputed_layers(tiny_config, tiny_run):
    plain = networks_of(tiny_config(), tiny_run.inputs)
    recomputed = networks_of(tiny_config("training.checkpoint_layers=true"), tiny_run.inputs)
    assert not plain.model.backbone.checkpoint_layers
    assert recomputed.model.backbone.checkpoint_layers


def test_no_layers_to_recompute(tiny_config, tiny_run, monkeypatch):
    monkeypatch.setattr("epigx.training.weights.checkpoint_layers", lambda model: False)
    with pytest.raises(ConfigError, match=r"^training\.checkpoint_layers is true, and the model has no layers that "):
        networks_of(tiny_config("training.checkpoint_layers=true"), tiny_run.inputs)


def networks():
    return Networks(nn.Linear(3, 2), nn.BatchNorm1d(2))


def test_weights_that_do_not_fit_on_the_disk(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(
            InputError, match=r"weights\.safetensors cannot be written: File too large\. Free some space"
        ):
            write_weights(tmp_path / "weights.safetensors", networks())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_weights_come_back_bit_for_bit(tmp_path):
    saved, loaded = networks(), networks()
    saved.objective.running_mean += 0.1
    write_weights(tmp_path / "weights.safetensors", saved)
    read_weights(tmp_path / "weights.safetensors", loaded)
    for name, tensor in saved.weights().items():
        assert torch.equal(loaded.weights()[name], tensor), name
    assert load_file(tmp_path / "weights.safetensors").keys() == saved.weights().keys()
    assert saved.parameters() == {"model": 8, "objective": 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("model.bias"), "lacks the weight 'model.bias': it belongs to another model"),
        (lambda w: w.update(extra=torch.zeros(1)), "has the unexpected weight 'extra': it belongs"),
        (lambda w: w.update({"model.bias": torch.zeros(5)}), r"'model.bias' has the shape \(5,\) instead of \(2,\)"),
    ],
)
def test_weights_of_another_model_are_refused(tmp_path, change, message):
    path = tmp_path / "weights.safetensors"
    write_weights(path, networks())
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    with pytest.raises(RunError, match=message):
        read_weights(path, networks())


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_refused_by_its_header(tmp_path, keep):
    path = tmp_path / "weights.safetensors"
    write_weights(path, networks())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RunError, match=r"weights.safetensors cannot be read: .* Copy the run again"):
        read_weights(path, networks())
