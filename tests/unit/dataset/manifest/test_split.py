from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.manifest.split import PAPER, Split, fold
from epigx.errors import ConfigError

HUMAN = [*(f"chr{number}" for number in range(1, 23)), "chrX"]


def test_papers_split():
    assert PAPER == Split(valid=("chr3", "chr21"), test=("chr22", "chrX")) == fold(11)
    sets = dict(zip(HUMAN, PAPER.of(HUMAN), strict=True))
    assert [chrom for chrom in HUMAN if sets[chrom] == "valid"] == ["chr3", "chr21"]
    assert [chrom for chrom in HUMAN if sets[chrom] == "test"] == ["chr22", "chrX"]
    assert sum(part == "train" for part in sets.values()) == 19


def test_either_naming():
    assert PAPER.of(["3", "22", "X", "7"]).tolist() == ["valid", "test", "test", "train"]
    assert Split(valid=("3",), test=()).of(["chr3"]).tolist() == ["valid"]


def test_every_gene_gets_its_chromosomes_set():
    genes = np.array(["chr22", "chr1", "chr22", "chr3"], dtype=object)
    assert PAPER.of(genes).tolist() == ["test", "train", "test", "valid"]
    assert PAPER.of([]).tolist() == []


def test_folds_test_every_chromosome_once():
    tested = [chrom for number in range(1, 13) for chrom in fold(number).test]
    assert sorted(tested) == sorted(HUMAN)


@pytest.mark.parametrize("number", range(2, 11))
def test_folds_validate_on_the_test_of_the_one_before(number):
    assert fold(number).valid == fold(number - 1).test


def test_folds_whose_table_differs():
    assert fold(1).valid == ("chr1", "chr11")
    assert "chr2" in fold(12).valid


@pytest.mark.parametrize("number", [0, 13, -1])
def test_no_such_fold(number):
    with pytest.raises(ConfigError, match=f"There is no fold {number}. Choose one from 1 to 12"):
        fold(number)


def test_a_chromosome_in_both_sets():
    with pytest.raises(ConfigError, match="chromosome 3 is both in valid and in test; put it in one of them"):
        Split.parse({"valid": ["3"], "test": ["chr3"]})


def test_a_fold_can_be_written_by_its_name():
    assert Split.parse("fold-5") == fold(5)
    assert Split.parse(fold(5).model_dump()) == fold(5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fold-13", "There is no fold 13. Choose one from 1 to 12"),
        ("folds-1", "'folds-1' is not a split; write fold-1 to fold-12, or the chromosomes valid and test"),
        ("fold--1", "'fold--1' is not a split"),
    ],
)
def test_a_name_that_is_no_fold(name, message):
    with pytest.raises(ConfigError, match=message):
        Split.parse(name)
