from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome import fasta_index as module
from epigx.genome.fasta import Record
from epigx.genome.fasta_index import fasta_index
from epigx.genome.sequence import Genome


def scanned(tmp_path: Path, text: bytes) -> list[Record]:
    path = tmp_path / "genome.fa"
    path.write_bytes(text)
    return list(fasta_index(path)[0].values())


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (b">a\nACGT\nAC\n", [("a", 6, 3, 4, 5)]),
        (b">a\nACGT\nAC", [("a", 6, 3, 4, 5)]),
        (b">a\nACGT", [("a", 4, 3, 4, 5)]),
        (b">a\r\nACGT\r\nAC\r\n", [("a", 6, 4, 4, 6)]),
        (b">a b c\nACGT\n\n>d\nAC\nAC\nA\n\n", [("a", 4, 7, 4, 5), ("d", 5, 16, 2, 3)]),
        (b">a\n>b\nAC\n", [("a", 0, 3, 0, 0), ("b", 2, 6, 2, 3)]),
        (b"\n>a\nAC\n", [("a", 2, 4, 2, 3)]),
    ],
    ids=["two lines", "no last line end", "one line", "CRLF", "blank lines", "no bases", "blank line above"],
)
def test_records(tmp_path: Path, text: bytes, records: list[tuple[str, int, int, int, int]]) -> None:
    assert scanned(tmp_path, text) == [Record(*record) for record in records]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_records_do_not_depend_on_how_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    text = b">a x\nACGT\nACGT\nAC\n>bb\nACG\nA\n\n>c\nACGTAC"
    whole = scanned(tmp_path, text)
    (tmp_path / "genome.fa.fai").unlink()
    monkeypatch.setattr(module, "_CHUNK", chunk)
    assert scanned(tmp_path, text) == whole == [("a", 10, 5, 4, 5), ("bb", 4, 22, 3, 4), ("c", 6, 32, 6, 7)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b">a\nACGT\nAC\nACGT\n", "line 4: the lines of 'a' are not of one length"),
        (b">a\nACGT\nACGTA\n", "line 3: the lines of 'a' are not of one length"),
        (b">z\nA\n>a\nACGT\nACGT\n\nACGT\n", "line 7: the lines of 'a' are not of one length"),
        (b">a\nAC\n>a\nAC\n", "line 3: the name 'a' stands there twice"),
        (b">\nAC\n", "line 1: a sequence without a name"),
        (b"ACGT\n", "FASTA starts with a line such as >chr1"),
        (b"", "holds no sequence. Check that it is FASTA"),
        (b"\n\n", "holds no sequence"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scanned(tmp_path, text)
    assert not list(tmp_path.glob("*.fai"))


@pytest.mark.parametrize("chunk", [1, 4, 1_000])
def test_uneven_lines_are_found_wherever_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "_CHUNK", chunk)
    with pytest.raises(InputError, match=r"line 4: the lines of 'a'"):
        scanned(tmp_path, b">a\nACGT\nAC\nACGT\n")


def test_gzip_is_told_from_bgzip(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(gzip.compress(b">a\nACGT\n"))
    with pytest.raises(InputError, match=r"is gzip but not bgzip, and cannot be read in parts. Run gunzip, then bgzip"):
        fasta_index(path)
    path.write_bytes(gzip.compress(b">a\nACGT\n")[:6])
    with pytest.raises(InputError, match=r"is gzip but not bgzip"):
        fasta_index(path)


def test_a_cut_off_bgzip_is_refused(write_fasta: Callable[..., Path]) -> None:
    path = write_fasta({"a": "ACGT" * 100}, "genome.fa.gz")
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(InputError, match=r"is damaged or cut off at byte \d+. Fetch it again"):
        fasta_index(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.fa does not exist. Check its path"):
        fasta_index(tmp_path / "none.fa")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        fasta_index(tmp_path)


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_the_index_is_made_once_and_read_back(write_fasta: Callable[..., Path], name: str) -> None:
    path = write_fasta({"a": "ACGTN" * 31, "b": "TTT"}, name)
    records, blocks = fasta_index(path)
    index = path.with_name(f"{name}.fai")
    assert index.is_file()
    os.utime(index, (1, 1))
    again, blocks_again = fasta_index(path)
    assert again == records
    assert index.stat().st_mtime == 1
    if blocks is not None and blocks_again is not None:
        np.testing.assert_array_equal(blocks, blocks_again)


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_a_folder_that_cannot_be_written_to_is_left_alone(
    write_fasta: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = write_fasta({"a": "ACGTN" * 31}, name)
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    writing = module.atomic_file

    def refuse(target: Path) -> object:
        if cache not in target.parents:
            raise InputError(f"{target} cannot be written")
        return writing(target)

    monkeypatch.setattr(module, "atomic_file", refuse)
    first = Genome(path).bases("a", 3, 60)
    kept = sorted(file.name.partition("-")[2] for file in (cache / "epigx").iterdir())
    assert kept == [f"{name}.fai", f"{name}.gzi"][: 2 if name.endswith(".gz") else 1]
    monkeypatch.setattr(module, "_scan", None)  # the second opening must not need it
    np.testing.assert_array_equal(Genome(path).bases("a", 3, 60), first)


def test_a_genome_is_read_even_where_no_index_can_be_kept(
    write_fasta: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(target: Path) -> object:
        raise InputError(f"{target} cannot be written")

    monkeypatch.setattr(module, "atomic_file", refuse)
    with caplog.at_level("INFO"):
        genome = Genome(write_fasta({"a": "ACGTN"}))
    assert genome.bases("a", 0, 5).tolist() == [0, 1, 2, 3, 4]
    assert "could not be written; it will be made again next time" in caplog.messages[-1]
