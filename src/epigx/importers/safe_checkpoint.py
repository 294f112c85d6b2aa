"""Read the tensors of a checkpoint that another program wrote, without executing anything in it.

A PyTorch checkpoint is a zip archive: a pickle that describes the content, and one uncompressed member per storage. A
pickle can name any function and have it called. Here nothing that it names is looked up, imported or called. Each name
becomes a :class:`_Foreign`: a dictionary that keeps its arguments and does nothing. Only the descriptions of tensors
are used afterwards.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import torch
from torch import Tensor

from epigx.errors import RunError

__all__ = ["read_tensors"]

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, from its ``state_dict`` or from the plain dictionary.

    Tensors that share memory in the file share memory here, too. Other entries are ignored.

    Raises
    ------
    RunError
        The file is missing, is not a PyTorch checkpoint, is damaged, or describes a tensor that it does not contain.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            content = _Archive(archive)
            return dict(content.tensors(_state(content.read())))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist. Give the path of a checkpoint.") from None
    except IsADirectoryError:
        raise RunError(f"{path} is a folder. Give the path of a checkpoint file.") from None
    except zipfile.BadZipFile as error:
        raise RunError(
            f"{path} is not a PyTorch checkpoint, or is truncated ({error}). Copy it again from its source."
        ) from None
    except _DamageError as error:
        raise RunError(f"{path} is damaged: {error}. Copy it again from its source.") from None


class _DamageError(Exception):
    """What is wrong with an archive."""


class _Foreign(dict[Any, Any]):
    """An object that a pickle names: its name, its arguments and its items. It does nothing."""

    name = ""
    arguments: tuple[Any, ...] = ()

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments

    def __call__(self, *arguments: Any) -> _Foreign:
        """Return another object that does nothing."""
        return _Foreign(*arguments)

    def __setstate__(self, state: object) -> None:
        """Ignore the state, which tensors do not have."""

    def extend(self, items: object) -> None:
        """Ignore the items of a list or a queue."""

    # Identity, as for any object, so that a pickle may use it as a key.
    __hash__ = object.__hash__  # type: ignore[assignment]


class _Storage(NamedTuple):
    """A member of the archive and how to read it."""

    member: str
    dtype: torch.dtype


class _Unpickler(pickle.Unpickler):
    """Reads the structure of a pickle; every global becomes a class that does nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for ``module.name``."""
        return type("_Foreign", (_Foreign,), {"name": f"{module}.{name}"})

    def persistent_load(self, reference: Any) -> _Storage:
        """Read a reference to a storage: ``("storage", type, member, device, length)``."""
        try:
            tag, kind, member, _, _ = reference
            dtype = _DTYPES[kind.name.removeprefix("torch.")]
        except (TypeError, ValueError, KeyError, AttributeError):
            raise _DamageError("it refers to data of an unknown kind") from None
        if tag != "storage" or not isinstance(member, str):
            raise _DamageError("it refers to data of an unknown kind")
        return _Storage(member, dtype)


class _Archive:
    """The members of a checkpoint; the name of their folder does not matter."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        pickles = [name for name in archive.namelist() if PurePosixPath(name).name == "data.pkl"]
        if len(pickles) != 1:
            raise _DamageError(f"it has {len(pickles)} members named data.pkl instead of one")
        self.root = PurePosixPath(pickles[0]).parent
        self.storages: dict[_Storage, Tensor] = {}
        if str(self.root / "byteorder") in archive.namelist() and self.bytes("byteorder") != b"little":
            raise _DamageError("its numbers are not little-endian")

    def bytes(self, member: str) -> bytes:
        """Read a member. Compressed members are refused: PyTorch writes none, and they could fill the memory."""
        try:
            info = self.archive.getinfo(str(self.root / member))
        except KeyError:
            raise _DamageError(f"its member {member!r} is missing") from None
        if info.compress_type != zipfile.ZIP_STORED:
            raise _DamageError(f"its member {member!r} is compressed")
        try:
            return self.archive.read(info)
        except (zipfile.BadZipFile, EOFError) as error:
            raise _DamageError(f"its member {member!r} cannot be read ({error})") from None

    def read(self) -> Any:
        """Return what the pickle describes; objects that are not plain containers or values are :class:`_Foreign`."""
        description = self.bytes("data.pkl")
        try:
            _check_memo(description)
            return _Unpickler(io.BytesIO(description)).load()
        except _DamageError:
            raise
        except Exception as error:  # damaged pickles raise many kinds of exception
            raise _DamageError(f"its description cannot be read ({error})") from None

    def tensors(self, state: dict[Any, Any]) -> Iterator[tuple[str, Tensor]]:
        """Yield the tensors of a state dictionary."""
        for key, value in state.items():
            if isinstance(value, _Foreign) and value.name == "torch._utils._rebuild_parameter":
                value = value.arguments[0] if value.arguments else value
            if isinstance(value, _Foreign) and value.name == "torch._utils._rebuild_tensor_v2":
                yield str(key), self._tensor(str(key), value.arguments)

    def _tensor(self, key: str, arguments: tuple[Any, ...]) -> Tensor:
        try:
            storage, offset, size, stride, *_ = arguments
            if not isinstance(storage, _Storage):
                raise TypeError
            tensor = self._storage(storage).as_strided(size, stride, offset)
            if tensor.numel() > self._storage(storage).numel():  # a stride of 0 would repeat a number without limit
                raise ValueError
            return tensor
        except (TypeError, ValueError, RuntimeError):
            raise _DamageError(f"{key!r} describes a tensor that the file does not contain") from None

    def _storage(self, storage: _Storage) -> Tensor:
        if storage not in self.storages:
            data = bytearray(self.bytes(f"data/{storage.member}"))
            empty = torch.empty(0, dtype=storage.dtype)
            self.storages[storage] = torch.frombuffer(data, dtype=storage.dtype) if data else empty
        return self.storages[storage]


def _check_memo(description: bytes) -> None:
    """Refuse a pickle whose object numbers exceed its size: the unpickler allocates memory up to that number."""
    for opcode, number, _ in pickletools.genops(description):
        if opcode.name in ("PUT", "LONG_BINPUT") and isinstance(number, int) and number > len(description):
            raise _DamageError("its description asks for more memory than it can use")


def _state(content: Any) -> dict[Any, Any]:
    """Return the dictionary of weights: the entry ``state_dict`` of a Lightning checkpoint, or all."""
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise _DamageError("it contains no dictionary of weights")
    return state
