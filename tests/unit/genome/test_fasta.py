from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome import fasta as module
from epigx.genome.fasta import open_fasta
from epigx.genome.sequence import Genome

CHR1 = "ACGTACGTACGTTTTGGGCCCAAAT"
BOTH = pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])


@BOTH
def test_bases_of_any_interval(write_fasta: Callable[..., Path], name: str) -> None:
    fasta = open_fasta(write_fasta({"chr1": CHR1, "chr2": CHR1[::-1]}, name))
    assert dict(zip(fasta.references, fasta.lengths, strict=True)) == {"chr1": 25, "chr2": 25}
    for start in range(len(CHR1)):
        for end in range(start, len(CHR1) + 1):
            assert fasta.fetch("chr2", start, end) == CHR1[::-1][start:end]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        (b">a\nACGT\nAC\n", {"a": 6}),
        (b">a\nACGT\nAC", {"a": 6}),
        (b">a\r\nACGT\r\nAC\r\n", {"a": 6}),
        (b">a b c\nACGT\n\n>d\nAC\nAC\nA\n\n", {"a": 4, "d": 5}),
    ],
    ids=["two lines", "no last line end", "CRLF", "blank lines"],
)
def test_line_ends_of_all_kinds(tmp_path: Path, text: bytes, sizes: dict[str, int]) -> None:
    (tmp_path / "genome.fa").write_bytes(text)
    genome = Genome(tmp_path / "genome.fa")
    assert genome.sizes == sizes
    assert genome.bases("a", 0, 4).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [b">a\nACGT\nAC\nACGT\n", b">a\nACGT\nACGTA\n", b"ACGT\n", b"", b"\n\n"],
    ids=["a short line within", "a long last line", "no header", "empty", "blank"],
)
def test_files_that_are_not_fasta_are_refused_and_leave_no_index(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "genome.fa").write_bytes(text)
    with pytest.raises(InputError, match=r"genome\.fa cannot be indexed: it is not FASTA.*a line such as >chr1"):
        Genome(tmp_path / "genome.fa")
    assert [file.name for file in tmp_path.iterdir()] == ["genome.fa"]


def test_gzip_that_is_not_bgzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "genome.fa.gz"
    for packed in (gzip.compress(b">a\nACGT\n"), gzip.compress(b">a\nACGT\n")[:6]):
        path.write_bytes(packed)
        with pytest.raises(InputError, match=r"is gzip but not bgzip.* Decompress it with gunzip, then run bgzip"):
            Genome(path)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.fa does not exist. Check its path"):
        Genome(tmp_path / "none.fa")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        Genome(tmp_path)


@BOTH
def test_the_index_is_created_once(
    write_fasta: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    path = write_fasta({"a": "ACGTN" * 31, "b": "TTT"}, name)
    first = Genome(path)
    endings = {"genome.fa": [".fai"], "genome.fa.gz": [".fai", ".gzi"]}[name]
    assert sorted(file.name for file in path.parent.iterdir()) == [name, *(name + ending for ending in endings)]
    monkeypatch.setattr(module, "_make", None)  # the second opening must not need it
    assert Genome(path).sizes == first.sizes == {"a": 155, "b": 3}
    assert capfd.readouterr() == ("", "")


@BOTH
def test_an_index_older_than_its_genome_is_not_used(
    write_fasta: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write_fasta({"chr1": CHR1}, name)
    Genome(path)
    write_fasta({"chr7": CHR1}, name)
    os.utime(path, (path.stat().st_mtime + 10,) * 2)
    assert Genome(path).sizes == {"chr7": 25}
    assert "chr1" in path.with_name(f"{name}.fai").read_text(), "the existing index is not overwritten"


@BOTH
def test_the_index_is_cached_if_the_folder_is_not_writable(
    write_fasta: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write_fasta({"a": "ACGTN" * 31}, name)
    monkeypatch.setattr(module.os, "access", lambda folder, mode: False)
    first = Genome(path).bases("a", 3, 60)
    kept = sorted(file.name.partition("-")[2] for file in (tmp_path / "cache" / "epigx").iterdir())
    assert kept == [f"{name}.fai", f"{name}.gzi"][: 2 if name.endswith(".gz") else 1]
    monkeypatch.setattr(module, "_make", None)
    np.testing.assert_array_equal(Genome(path).bases("a", 3, 60), first)


@BOTH
def test_a_genome_truncated_after_indexing_is_refused(write_fasta: Callable[..., Path], name: str) -> None:
    path = write_fasta({"chr1": CHR1 * 6}, name)
    times = path.stat().st_mtime, path.stat().st_mtime
    Genome(path)
    path.write_bytes(path.read_bytes()[:60])
    os.utime(path, times)
    with pytest.raises(
        InputError, match=r"does not match its index: it is truncated, or has changed since it was indexed"
    ):
        Genome(path)


@pytest.mark.parametrize("text", ["", "chr1\tx\t6\t10\t11\n"], ids=["empty", "not a number"])
def test_a_damaged_index_is_refused(write_fasta: Callable[..., Path], text: str) -> None:
    path = write_fasta({"chr1": CHR1})
    path.with_name("genome.fa.fai").write_text(text)
    with pytest.raises(InputError, match=r"does not match its index|has no sequences"):
        Genome(path)


def test_a_damaged_block_is_refused(write_fasta: Callable[..., Path]) -> None:
    path = write_fasta({"chr1": CHR1 * 20}, "genome.fa.gz")
    times = path.stat().st_mtime, path.stat().st_mtime
    Genome(path)
    damaged = bytearray(path.read_bytes())
    for place in range(len(damaged) // 2, len(damaged) // 2 + 40):  # a whole block, whatever its header holds
        damaged[place] ^= 255
    path.write_bytes(damaged)
    os.utime(path, times)
    with pytest.raises(InputError, match=r"genome\.fa\.gz is damaged in chr1, bases 0 to 500. Download it again"):
        Genome(path).bases("chr1", 0, 500)
