"""Atomic writing: nothing or all of it, and a failure keeps what existed before."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from epigx.errors import InputError
from epigx.system.atomic import atomic_file, atomic_folder


class InterruptionError(Exception):
    pass


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_appears_whole(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "deep" / "a.txt") as partial:
        partial.write_text("new")
        assert not (tmp_path / "deep" / "a.txt").exists()
    assert (tmp_path / "deep" / "a.txt").read_text() == "new"
    assert names(tmp_path / "deep") == ["a.txt"]


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(InterruptionError), atomic_file(target) as partial:
        partial.write_text("half")
        raise InterruptionError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a") as partial:
        partial.write_text("x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_folder_appears_whole_and_is_not_replaced_unasked(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_folder(target) as partial:
        (partial / "sub").mkdir()
        (partial / "sub" / "x").write_text("1")
    assert (target / "sub" / "x").read_text() == "1"
    with pytest.raises(InputError, match=r"out already exists.*--force"), atomic_folder(target):
        raise AssertionError("must be refused before any work")
    with atomic_folder(target, replace=True) as partial:
        (partial / "y").write_text("2")
    assert names(target) == ["y"]
    assert names(tmp_path) == ["out"]


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "x").write_text("old")
    with pytest.raises(InterruptionError), atomic_folder(target, replace=True) as partial:
        (partial / "x").write_text("half")
        raise InterruptionError
    assert (target / "x").read_text() == "old"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_a_folder_that_is_not_writable_is_an_error(tmp_path: Path, write) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"), write(tmp_path / "file" / "out"):
        raise AssertionError("must be refused before any work")


@pytest.mark.parametrize("words", [os.strerror(errno.ENOSPC), "write failed: time = now\n, errno = 28"])
def test_a_full_disk_is_reported_and_leaves_no_file(tmp_path: Path, words: str) -> None:
    with pytest.raises(InputError, match=r"cannot be written: No space left on device\. Free some space"):
        with atomic_folder(tmp_path / "out") as partial:
            (partial / "x").write_text("half")
            raise OSError(errno.ENOSPC, words)
    assert names(tmp_path) == []


def test_an_error_in_the_block_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "out"):
        (tmp_path / "absent").read_text()
