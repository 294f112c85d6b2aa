from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.sequence import A, C, G, Genome, N, T, one_hot, reverse_complement

CHR1 = "ACGTNacgtnRYKM" + "ACGT" * 21 + "GG"
CODES = np.array(["ACGTN".find(letter) if letter in "ACGT" else N for letter in CHR1.upper()], dtype=np.uint8)


@pytest.fixture(params=["genome.fa", "genome.fa.gz", "CRLF"])
def genome(request: pytest.FixtureRequest, write_fasta: Callable[..., Path]) -> Genome:
    name, end = ("genome.fa", "\r\n") if request.param == "CRLF" else (request.param, "\n")
    return Genome(write_fasta({"chr1": CHR1, "chr2": "TTTTT", "chrM": "G"}, name, end=end))


def test_codes_and_sizes(genome: Genome) -> None:
    assert genome.sizes == {"chr1": 100, "chr2": 5, "chrM": 1}
    assert (A, C, G, T, N) == (0, 1, 2, 3, 4)
    codes = genome.windows("chr1", np.array([0]), 100)
    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(codes[0], CODES)


def test_windows_past_the_ends_are_n(genome: Genome, starts: np.ndarray) -> None:
    padded = np.pad(CODES, 200, constant_values=N)
    windows = genome.windows("chr1", starts, 20)
    np.testing.assert_array_equal(windows, [padded[start + 200 : start + 220] for start in starts])
    assert (windows[-1] == N).all()


def test_other_names_of_a_chromosome(genome: Genome) -> None:
    assert genome.bases("2", -1, 7).tolist() == [N, T, T, T, T, T, N, N]
    assert genome.bases("MT", 0, 1).tolist() == [G]
    with pytest.raises(InputError, match=r"has no chromosome 'chr3' \(it has 'chr1', 'chr2', 'chrM'\)"):
        genome.windows("chr3", np.array([0]), 10)


def test_no_windows_and_no_bases(genome: Genome) -> None:
    assert genome.windows("chr1", np.empty(0, dtype=np.int64), 10).shape == (0, 10)
    assert genome.bases("chr1", 5, 5).shape == (0,)


def test_a_genome_can_be_pickled(genome: Genome) -> None:
    before = genome.bases("chr1", 10, 40)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(genome)).bases("chr1", 10, 40), before)


def test_the_repr_has_the_size_of_the_genome(write_fasta: Callable[..., Path]) -> None:
    assert repr(Genome(write_fasta({"chr1": CHR1, "chr2": "TT"}))).endswith("genome.fa': 2 sequences, 102 bp)")


def test_one_hot_has_the_letters_in_order() -> None:
    encoded = one_hot(np.array([[A, C], [G, T], [N, N]], dtype=np.uint8))
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [
        [[1, 0, 0, 0], [0, 1, 0, 0]],
        [[0, 0, 1, 0], [0, 0, 0, 1]],
        [[0, 0, 0, 0], [0, 0, 0, 0]],
    ]
    assert one_hot(np.empty((0, 3), dtype=np.uint8)).shape == (0, 3, 4)


def test_reverse_complement_of_each_row() -> None:
    assert reverse_complement(np.array([[A, C, N], [T, T, G]], dtype=np.uint8)).tolist() == [[N, G, T], [C, A, A]]


@pytest.mark.parametrize("function", [one_hot, reverse_complement])
def test_an_invalid_base_code_is_refused(function: Callable[[np.ndarray], np.ndarray]) -> None:
    with pytest.raises(InputError, match=r"A base code is 7. Codes are 0 to 4"):
        function(np.array([0, 7], dtype=np.uint8))
