"""The checkpoint file: complete, and read without running code."""

from __future__ import annotations

import os
import pickle

import pytest
import torch

from epigx.errors import RunError
from epigx.training.checkpoint import Best, State


def some_state():
    weights = {"model.a": torch.randn(3), "objective.n": torch.tensor(4)}
    parameter = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimizer.step()
    return State(
        kernel="torch",
        dataset_hash="abc",
        step=7,
        weights=weights,
        optimizer=optimizer.state_dict(),
        terms={"total": torch.tensor([1.0, 2.0])},
        rows=[{"step": 5, "valid_mse": 0.25}],
        best=Best(5, 0.25, weights),
        wall_seconds=1.5,
        cpu_seconds=2.5,
    )


def test_saving_and_loading_gives_equal_values(tmp_path):
    state = some_state()
    state.save(tmp_path / "checkpoints" / "last.ckpt")
    back = State.load(tmp_path / "checkpoints" / "last.ckpt")
    assert (back.dataset_hash, back.step, back.rows) == ("abc", 7, state.rows)
    assert (back.wall_seconds, back.cpu_seconds) == (1.5, 2.5)
    assert (back.best.step, back.best.mse) == (5, 0.25)
    for name, tensor in state.weights.items():
        assert torch.equal(back.weights[name], tensor)
        assert torch.equal(back.best.weights[name], tensor)
    assert torch.equal(back.optimizer["state"][0]["exp_avg"], state.optimizer["state"][0]["exp_avg"])
    assert torch.equal(back.terms["total"], state.terms["total"])


def test_a_checkpoint_without_best_weights(tmp_path):
    State("abc", "torch").save(tmp_path / "last.ckpt")
    assert State.load(tmp_path / "last.ckpt").best is None


class Payload:
    def __reduce__(self):
        return os.mkdir, ("epigx-was-executed",)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive at all",
        pickle.dumps(Payload()),
        lambda path: torch.save({"format": 1, "best": None, "dataset_hash": Payload()}, path),
        lambda path: torch.save({"format": 2, "best": None}, path),
        lambda path: torch.save({"format": 1, "best": None, "dataset_hash": "a", "surprise": 1}, path),
        lambda path: torch.save([1, 2], path),
    ],
)
def test_other_files_are_refused_and_run_no_code(tmp_path, content):
    path = tmp_path / "last.ckpt"
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"last.ckpt cannot be read: .* Restart the run with --force."):
        State.load(path)
    assert not os.path.exists("epigx-was-executed")


def test_a_flipped_bit_is_noticed(tmp_path):
    path, weight = tmp_path / "last.ckpt", torch.arange(6.0)
    State("abc", "torch", weights={"model.a": weight}).save(path)
    content = bytearray(path.read_bytes())
    content[content.index(weight.numpy().tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"last.ckpt cannot be read: its member \S+ is damaged. Restart the run"):
        State.load(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        State.load(tmp_path / "last.ckpt")
