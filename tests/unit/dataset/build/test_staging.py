from __future__ import annotations

import errno
import os
import shutil
from types import SimpleNamespace

import pytest

from epigx.dataset.build.staging import WorkFolder, build_key
from epigx.errors import InputError


@pytest.fixture
def work(tmp_path):
    return WorkFolder(tmp_path / "out")


def _dataset(path, content="{}"):
    path.mkdir(parents=True)
    (path / "dataset.json").write_text(content)


def test_key_changes_with_whatever_changes_the_dataset(genome_files):
    manifest = genome_files.manifest()
    key = build_key(manifest, 200)
    assert build_key(manifest, 200) == key
    assert build_key(manifest, 202) != key
    assert build_key(manifest.override("orient=strand"), 200) != key
    path = genome_files.folder / "loops.bedpe"
    os.utime(path, (1, 1))
    assert build_key(manifest, 200) != key


def test_key_does_not_depend_on_where_the_files_are(genome_files):
    manifest = genome_files.manifest()
    elsewhere = genome_files.folder.with_name("moved")
    key = build_key(manifest, 200)
    genome_files.folder.rename(elsewhere)
    assert build_key(manifest.override(f"root={elsewhere}"), 200) == key


def test_what_stands_there_is_kept(work):
    work.check_free(force=False)
    _dataset(work.out)
    with pytest.raises(InputError, match=r"out already exists\. Choose another folder, or replace it with --force\."):
        work.check_free(force=False)
    work.check_free(force=True)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_only_datasets_are_replaced(work, tmp_path, kind):
    if kind == "file":
        work.out.write_text("mine")
    elif kind == "link":
        work.out.symlink_to(tmp_path / "nowhere")
    else:
        work.out.mkdir()
        (work.out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"out exists and is not a dataset, so it is not replaced\."):
        work.check_free(force=True)


def test_an_empty_folder_may_be_replaced(work):
    work.out.mkdir()
    work.check_free(force=True)


def test_the_same_build_is_continued(work):
    assert work.prepare("key", 10)
    work.begin("key")
    work.finish("task", {"a": [1.0, None]})
    assert not work.prepare("key", 10)
    assert work.report("task") == {"a": [1.0, None]}
    assert work.report("other") is None


def test_another_build_starts_over(work):
    work.prepare("key", 10)
    work.begin("key")
    work.finish("task", {})
    assert work.prepare("other key", 10)
    assert work.report("task") is None


def test_a_build_that_never_began_starts_over(work):
    work.prepare("key", 10)
    (work.whole / "rubbish").write_text("x")
    assert work.prepare("key", 10)
    assert not (work.whole / "rubbish").exists()


def test_a_full_disk_is_seen_before(work):
    with pytest.raises(InputError, match=r"out needs 1000000000\.00 GB, but only .* [GM]B are free\. Free"):
        work.prepare("key", 10**18)
    assert not work.path.exists()


def test_sizes_have_a_fitting_unit(work, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_900_000))
    with pytest.raises(InputError, match=r"out needs 2\.2 MB, but only 1\.9 MB are free\."):
        work.prepare("key", 2_200_000)


def test_publishing(work):
    work.prepare("key", 10)
    work.begin("key")
    (work.whole / "dataset.json").write_text("new")
    work.publish()
    assert (work.out / "dataset.json").read_text() == "new"
    assert not work.path.exists()


def test_publishing_replaces(work):
    _dataset(work.out, "old")
    test_publishing(work)


def test_a_replacement_killed_between_its_renames_is_undone(work):
    _dataset(work.out, "old")
    work.prepare("key", 10)
    work.begin("key")
    work.out.rename(work.path / "old")
    work.undo_half_replacement()
    assert (work.out / "dataset.json").read_text() == "old"
    assert not work.prepare("key", 10)


def test_a_build_killed_after_its_last_rename_leaves_nothing_in_the_way(work):
    work.prepare("key", 10)
    work.begin("key")
    work.whole.rename(work.out)
    assert work.prepare("key", 10)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (
            errno.ENOSPC,
            r"out cannot be written: No space left on device\. Free some space and run the same command",
        ),
        (errno.EACCES, r"out cannot be written: Permission denied\. Choose a folder that you can write to\."),
        (errno.ENOTDIR, r"out cannot be written: a folder of its path is a file\. Choose another folder"),
    ],
)
def test_what_the_system_says_becomes_a_sentence(work, number, message):
    with pytest.raises(InputError, match=message), work.writing():
        raise OSError(number, os.strerror(number))


def test_other_errors_pass(work):
    with pytest.raises(OSError, match="Input/output error"), work.writing():
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_discarding(work):
    work.prepare("key", 10)
    work.discard()
    work.discard()
    assert not work.path.exists()
