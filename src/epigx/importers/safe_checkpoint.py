"""Tensors out of a checkpoint that another program wrote, without trusting it.

A PyTorch checkpoint is a zip archive: a pickle that says what there is, and one uncompressed member per storage. A
pickle can name any function and have it called. Here nothing that it names is looked up, imported or called: each name
becomes a :class:`_Foreign`, a dictionary that remembers how it was made and does nothing, and of those only
descriptions of tensors are understood. Strings stay strings.
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
    """Return the tensors of a checkpoint by name: those of its ``state_dict``, or of the dictionary that it is.

    Tensors that share memory in the file share it here. Entries that are no tensors are left out.

    Parameters
    ----------
    path : str or Path
        A file that ``torch.save`` or Lightning wrote.

    Raises
    ------
    RunError
        The file is missing, is no PyTorch checkpoint, is damaged, or describes a tensor that it does not hold.
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
            f"{path} is not a PyTorch checkpoint, or is cut short ({error}). Copy it again from where it came."
        ) from None
    except _DamageError as error:
        raise RunError(f"{path} is damaged: {error}. Copy it again from where it came.") from None


class _DamageError(Exception):
    """What is wrong with an archive."""


class _Foreign(dict[Any, Any]):
    """Whatever a pickle names: the name, the arguments it was made with and its items; inert."""

    name = ""
    arguments: tuple[Any, ...] = ()

    def __init__(self, *arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments

    def __call__(self, *arguments: Any) -> _Foreign:
        """Give something that is as inert."""
        return _Foreign(*arguments)

    def __setstate__(self, state: object) -> None:
        """Forget the state, which no tensor has."""

    def extend(self, items: object) -> None:
        """Forget the items of what would be a list or a queue."""

    # Identity, as for any object, so that a pickle may use it as a key.
    __hash__ = object.__hash__  # type: ignore[assignment]


class _Storage(NamedTuple):
    """A member of the archive and how to read it."""

    member: str
    dtype: torch.dtype


class _Unpickler(pickle.Unpickler):
    """Reads a pickle's structure; every global becomes a class of its own that does nothing."""

    def find_class(self, module: str, name: str) -> Any:
        """Return a stand-in for ``module.name``."""
        return type("_Foreign", (_Foreign,), {"name": f"{module}.{name}"})

    def persistent_load(self, reference: Any) -> _Storage:
        """Understand a reference to a storage: ``("storage", type, member, device, length)``."""
        try:
            tag, kind, member, _, _ = reference
            dtype = _DTYPES[kind.name.removeprefix("torch.")]
        except (TypeError, ValueError, KeyError, AttributeError):
            raise _DamageError("it refers to data of an unknown kind") from None
        if tag != "storage" or not isinstance(member, str):
            raise _DamageError("it refers to data of an unknown kind")
        return _Storage(member, dtype)


class _Archive:
    """The members of a checkpoint, under whatever folder name it was saved."""

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
        """Read a member; a compressed one is refused, as PyTorch writes none and it might fill the memory."""
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
        """Return what the pickle describes, with stand-ins for all that is not a plain container, number or string."""
        description = self.bytes("data.pkl")
        try:
            _check_memo(description)
            return _Unpickler(io.BytesIO(description)).load()
        except _DamageError:
            raise
        except Exception as error:  # a pickle can fail in any way that its bytes can be wrong
            raise _DamageError(f"its description cannot be read ({error})") from None

    def tensors(self, state: dict[Any, Any]) -> Iterator[tuple[str, Tensor]]:
        """Give the tensors among the entries of a state."""
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
            if tensor.numel() > self._storage(storage).numel():  # one number can be repeated without end
                raise ValueError
            return tensor
        except (TypeError, ValueError, RuntimeError):
            raise _DamageError(f"{key!r} describes a tensor that the file does not hold") from None

    def _storage(self, storage: _Storage) -> Tensor:
        if storage not in self.storages:
            data = bytearray(self.bytes(f"data/{storage.member}"))
            empty = torch.empty(0, dtype=storage.dtype)
            self.storages[storage] = torch.frombuffer(data, dtype=storage.dtype) if data else empty
        return self.storages[storage]


def _check_memo(description: bytes) -> None:
    """Refuse a pickle that numbers its objects beyond their count: the unpickler makes room up to that number."""
    for opcode, number, _ in pickletools.genops(description):
        if opcode.name in ("PUT", "LONG_BINPUT") and isinstance(number, int) and number > len(description):
            raise _DamageError("its description asks for more memory than it can need")


def _state(content: Any) -> dict[Any, Any]:
    """Return the dictionary of weights: the entry ``state_dict`` of a Lightning checkpoint, or all."""
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise _DamageError("it holds no dictionary of weights")
    return state
