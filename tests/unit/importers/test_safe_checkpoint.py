from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from epigx.errors import RunError
from epigx.importers.safe_checkpoint import read_tensors


class Settings:
    """A class of the program that wrote the checkpoint, of which the reader knows nothing."""

    def __init__(self) -> None:
        self.command = '${eval:\'__import__("os").system("touch evaluated")\'}'
        self.parent = self
        self.queue = deque([1, 2])


class Bomb:
    """Pickled, it asks its reader to make a file or a folder."""

    def __init__(self, function: Callable[..., Any], path: Path) -> None:
        self.function, self.path = function, path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, (self.path,)


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, content: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pt"
    torch.save({"a": torch.arange(6.0).view(2, 3), "b": torch.zeros(4)}, path)
    return path


def test_what_torch_saves_is_read(tmp_path: Path) -> None:
    base = torch.randn(6, 8)
    state = OrderedDict(
        plain=base,
        view=base[1:5:2, 3:],
        transposed=base.T,
        parameter=torch.nn.Parameter(torch.randn(3)),
        half=torch.randn(5).bfloat16(),
        whole=torch.tensor(1234),
        truth=torch.tensor([True, False]),
        empty=torch.empty(0, 3),
        note="not a tensor",
    )
    torch.save(state, tmp_path / "state.pt")
    tensors = read_tensors(tmp_path / "state.pt")
    assert tensors.keys() == state.keys() - {"note"}
    for name, tensor in tensors.items():
        torch.testing.assert_close(tensor, state[name].detach(), rtol=0, atol=0)
    tensors["plain"][1, 3] = 77.0
    assert tensors["view"][0, 0] == 77.0  # they share memory, as in the file


def test_the_state_of_a_module_is_read(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    torch.save(module.state_dict(), tmp_path / "module.pt")  # carries _metadata as a state
    assert read_tensors(tmp_path / "module.pt").keys() == module.state_dict().keys()


def test_unknown_classes_of_a_checkpoint_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lightning.ckpt"
    torch.save({"state_dict": {"model.a": torch.ones(2)}, "hyper_parameters": Settings()}, path)
    assert torch.equal(read_tensors(path)["model.a"], torch.ones(2))
    assert not Path("evaluated").exists()


@pytest.mark.parametrize("function", [os.mkdir, Path.touch])
def test_nothing_that_the_file_names_is_called(function: Callable[..., Any], tmp_path: Path) -> None:
    path, trace = tmp_path / "bomb.pt", tmp_path / "trace"
    torch.save({"a": torch.ones(2), "b": Bomb(function, trace)}, path)
    assert read_tensors(path).keys() == {"a"}
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # so the bomb was live


def test_the_official_checkpoint_that_torch_refuses(shared_fixtures: Path) -> None:
    path = shared_fixtures / "prism_seed0.lightning.ckpt"
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    plain = torch.load(shared_fixtures / "prism_seed0.weights.pt", weights_only=True)
    tensors = read_tensors(path)
    assert len(tensors) == 110
    for name, tensor in tensors.items():
        expected = plain[name.removeprefix("model.")]
        assert torch.equal(tensor, expected.to(tensor.dtype))


def test_every_official_file_reads_as_torch_reads_it(shared_fixtures: Path) -> None:
    paths = sorted(shared_fixtures.glob("*.weights.pt"))
    assert paths
    for path in paths:
        expected = torch.load(path, weights_only=True)
        tensors = read_tensors(path)
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[name], expected[name]) for name in tensors)


def test_what_is_no_checkpoint(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(RunError, match=r"absent\.ckpt does not exist"):
        read_tensors(tmp_path / "absent.ckpt")
    with pytest.raises(RunError, match=r"is a folder\. Give the path of a checkpoint file"):
        read_tensors(tmp_path)
    (tmp_path / "text.ckpt").write_text("weights")
    with pytest.raises(RunError, match="is not a PyTorch checkpoint, or is truncated"):
        read_tensors(tmp_path / "text.ckpt")
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(RunError, match="is not a PyTorch checkpoint, or is truncated"):
        read_tensors(saved)
    rewrite(tmp_path / "other.zip", {"readme.txt": b""})
    with pytest.raises(RunError, match=r"0 members named data\.pkl instead of one"):
        read_tensors(tmp_path / "other.zip")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(RunError, match="contains no dictionary of weights"):
        read_tensors(tmp_path / "list.pt")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda files: files.pop("weights/data/0"), "its member 'data/0' is missing"),
        (lambda files: files.update({"weights/data/0": b"12345678"}), "'a' describes a tensor that the file does not"),
        (lambda files: files.update({"weights/data/0": b"12345"}), "'a' describes a tensor that the file does not"),
        (lambda files: files.update({"weights/byteorder": b"big"}), "its numbers are not little-endian"),
        (lambda files: files.update({"weights/data.pkl": b"\x80\x02}q"}), "its description cannot be read"),
        (lambda files: files.update({"weights/data.pkl": b"garbage"}), "its description cannot be read"),
    ],
)
def test_damage(damage: Callable[[dict[str, bytes]], object], message: str, saved: Path) -> None:
    files = members(saved)
    damage(files)
    rewrite(saved, files)
    with pytest.raises(RunError, match=f"is damaged: {message}.*Copy it again"):
        read_tensors(saved)


def test_a_flipped_bit_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[content.index(torch.arange(6.0).numpy().tobytes())] ^= 1
    saved.write_bytes(content)
    with pytest.raises(RunError, match="its member 'data/0' cannot be read"):
        read_tensors(saved)


@pytest.mark.parametrize("number", [b"r" + struct.pack("<I", 2**32 - 1), b"p4294967295\n"])
def test_a_description_that_asks_for_a_huge_memo(number: bytes, saved: Path) -> None:
    rewrite(saved, members(saved) | {"weights/data.pkl": b"\x80\x02}" + number + b"."})
    with pytest.raises(RunError, match="asks for more memory than it can use"):
        read_tensors(saved)


def test_one_number_is_not_a_large_tensor(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "small.pt")
    with pytest.raises(RunError, match="'a' describes a tensor that the file does not contain"):
        read_tensors(tmp_path / "small.pt")


def test_a_compressed_member_is_refused(saved: Path) -> None:
    rewrite(saved, members(saved), zipfile.ZIP_DEFLATED)
    with pytest.raises(RunError, match="is compressed"):
        read_tensors(saved)


@pytest.mark.parametrize(
    "reference",
    [("storage", 5, "0", "cpu", 6), ("other", torch.FloatStorage, "0", "cpu", 6), ("storage",), "storage", 5],
)
def test_a_reference_of_an_unknown_kind(reference: object, saved: Path) -> None:
    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return reference if isinstance(value, Tensor) else None

    stream = io.BytesIO()
    Pickler(stream, protocol=2).dump({"a": torch.ones(1)})
    rewrite(saved, members(saved) | {"weights/data.pkl": stream.getvalue()})
    with pytest.raises(RunError, match="refers to data of an unknown kind"):
        read_tensors(saved)
