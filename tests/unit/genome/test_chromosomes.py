from __future__ import annotations

import logging

import pytest

from epigx.errors import InputError
from epigx.genome.chromosomes import find_chromosome, match_chromosome, match_chromosomes, require_chromosome


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("chr1", ["chr1", "1"], "chr1"),
        ("1", ["chr1", "1"], "1"),
        ("chr1", ["1"], "1"),
        ("X", ["chrX"], "chrX"),
        ("chrM", ["MT"], "MT"),
        ("MT", ["chrM"], "chrM"),
        ("M", ["chrMT"], "chrMT"),
        ("chr1", ["chr10", "10"], None),
        ("chr1", [], None),
        ("chr1", ["Chr1"], None),
        ("GL000192.1", ["chrGL000192.1"], "chrGL000192.1"),
    ],
)
def test_names_of_one_chromosome(name: str, available: list[str], expected: str | None) -> None:
    assert match_chromosome(name, available) == expected


def test_match_chromosomes_leaves_out_missing_chromosomes() -> None:
    assert match_chromosomes(["chr2", "chrY", "chr1"], {"1": 10, "2": 20}) == {"chr2": "2", "chr1": "1"}


def test_an_alias_is_logged_once_per_file(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="epigx.genome.chromosomes"):
        for _ in range(3):
            assert find_chromosome("chr7", ["7"], "once.bigWig") == "7"
        find_chromosome("chr7", ["chr7"], "same.bigWig")
    assert caplog.messages == ["once.bigWig: using chromosome '7' for 'chr7'."]


def test_a_missing_chromosome_is_named_with_the_available_ones() -> None:
    with pytest.raises(InputError, match=r"dnase\.bw has no chromosome 'chrQ' \(it has '1', '2', '3', '4', …\)"):
        require_chromosome("chrQ", list("12345"), "dnase.bw")
    with pytest.raises(InputError, match=r"\(it has none\). Use files of the same assembly"):
        require_chromosome("chrQ", [], "dnase.bw")
