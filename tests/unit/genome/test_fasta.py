from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.fasta import Record, open_bytes, read_block_index, read_letters, read_records
from epigx.genome.fasta_index import fasta_index
from epigx.genome.sequence import Genome

CHR1 = "ACGTACGTACGTTTTGGGCCCAAAT"


def test_a_base_is_found_across_lines() -> None:
    record = Record("chr1", 25, 6, 10, 11)
    assert [record.place(base) for base in (0, 9, 10, 24)] == [6, 15, 17, 32]


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_letters_of_any_stretch(write_fasta: Callable[..., Path], name: str) -> None:
    path = write_fasta({"chr1": CHR1, "chr2": CHR1[::-1]}, name)
    records, blocks = fasta_index(path)
    assert (blocks is not None) == name.endswith(".gz")
    source = open_bytes(path, blocks)
    for start in range(len(CHR1)):
        for end in range(start, len(CHR1) + 1):
            letters = read_letters(source, records["chr2"], start, end, path)
            assert letters.tobytes().decode() == CHR1[::-1][start:end]
    source.close()


@pytest.mark.parametrize("line", ["chr1\t10\t6", "chr1\tx\t6\t10\t11", "chr1\t10\t6\t11\t10", "chr1\t-1\t6\t10\t11"])
def test_a_damaged_index_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "genome.fa.fai"
    path.write_text("chr0\t10\t6\t10\t11\n" + line + "\n")
    with pytest.raises(InputError, match=r"line 2: .* is no FASTA index entry. Delete the index"):
        read_records(path)


def test_an_empty_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "genome.fa.fai").write_text("")
    with pytest.raises(InputError, match=r"is empty. Delete it"):
        read_records(tmp_path / "genome.fa.fai")


@pytest.mark.parametrize("numbers", [[], [3, 1, 2], [1, 1]])
def test_a_damaged_block_index_is_refused(tmp_path: Path, numbers: list[int]) -> None:
    path = tmp_path / "genome.fa.gz.gzi"
    np.array(numbers, dtype="<u8").tofile(path)
    with pytest.raises(InputError, match=r"is no block index of a bgzip file. Delete it"):
        read_block_index(path)


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
@pytest.mark.parametrize(
    "other",
    [{"chr1": CHR1 * 8}, {"chr1": CHR1 * 5}, {"chr7": CHR1 * 6}, {"chr1": CHR1 * 6, "chr2": CHR1}],
    ids=["longer", "shorter", "another name", "one more"],
)
def test_a_genome_that_is_not_that_of_its_index_is_refused(
    write_fasta: Callable[..., Path], name: str, other: dict[str, str]
) -> None:
    path = write_fasta({"chr1": CHR1 * 6}, name)
    Genome(path)
    # bgzip blocks of other lengths are damage on their own, so the block index is made anew.
    write_fasta(other, name)
    path.with_name(f"{name}.gzi").unlink(missing_ok=True)
    if name.endswith(".gz"):
        kept = path.with_name(f"{name}.fai").read_text()
        path.with_name(f"{name}.fai").unlink()
        fasta_index(path)
        path.with_name(f"{name}.fai").write_text(kept)
    with pytest.raises(InputError, match=r"does not fit its index: it was cut off, or changed after it was indexed"):
        Genome(path).windows("chr1", np.array([0]), 10)


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_a_genome_cut_off_after_it_was_indexed_is_refused(write_fasta: Callable[..., Path], name: str) -> None:
    path = write_fasta({"chr1": CHR1 * 6}, name)
    Genome(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match=r"genome\.fa(\.gz)? (does not fit its index|is damaged at byte)"):
        Genome(path).windows("chr1", np.array([0]), 10)


def test_an_index_that_misleads_inside_is_refused(write_fasta: Callable[..., Path]) -> None:
    path = write_fasta({"chr1": CHR1 * 6, "chr2": CHR1})
    Genome(path)
    index = path.with_name("genome.fa.fai")
    index.write_text(index.read_text().replace("chr1\t150", "chr1\t170"))
    with pytest.raises(InputError, match=r"does not hold the bases 141-170 of 'chr1' where its index says"):
        Genome(path).bases("chr1", 140, 170)


def test_a_damaged_block_is_refused(write_fasta: Callable[..., Path]) -> None:
    path = write_fasta({"chr1": CHR1 * 20}, "genome.fa.gz")
    genome = Genome(path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 255
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"genome\.fa\.gz is damaged at byte \d+: .* Fetch it again"):
        genome.bases("chr1", 0, 500)
