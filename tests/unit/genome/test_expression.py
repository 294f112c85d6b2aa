from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from epigx.errors import ConfigError, InputError
from epigx.genome.expression import cage_label, table_label
from epigx.genome.tracks.tracks import open_track

GENES = pd.DataFrame(
    {"chrom": ["chr1", "chr2", "chr1", "chr1"], "tss": [500, 500, 500, 2], "strand": ["+", "+", "-", "+"]}
)
SIZES = {"chr1": 2_000, "chr2": 1_000}


@pytest.fixture
def plus(write_bigwig: Callable[..., Path]) -> Path:
    # 308 is the first base of the 384 bp around 500, 692 the first base after them.
    rows = [("chr1", 0, 4, 1.0), ("chr1", 307, 309, 10.0), ("chr1", 691, 693, 3.0), ("chr2", 500, 501, 99.0)]
    return write_bigwig(rows, SIZES, "plus.bigWig")


@pytest.fixture
def minus(write_bigwig: Callable[..., Path]) -> Path:
    return write_bigwig([("chr1", 400, 410, -2.0), ("chr2", 0, 5, -1.0)], SIZES, "minus.bigWig")


def test_each_strand_is_summed_over_384_bp(plus: Path, minus: Path) -> None:
    label = cage_label(open_track(plus, "bigwig"), open_track(minus, "bigwig"), GENES)
    assert label.dtype == np.float32
    np.testing.assert_allclose(label, np.log10(1 + np.array([13, 99, 20, 4])), rtol=1e-6)


def test_one_track_may_contain_both_strands(plus: Path) -> None:
    label = cage_label(open_track(plus, "bigwig"), None, GENES, width=2)
    np.testing.assert_allclose(label, np.log10(1 + np.array([0, 99, 0, 2])), rtol=1e-6)


@pytest.mark.parametrize("width", [0, 383])
def test_an_odd_or_zero_width_is_refused(plus: Path, width: int) -> None:
    with pytest.raises(ConfigError, match=f"The CAGE width is {width} bp. Choose an even number"):
        cage_label(open_track(plus, "bigwig"), None, GENES, width=width)


def test_a_column_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "expression.tsv"
    path.write_text("gene_id\ttpm\nA.1\t99\nB\t\nC\t-1\n")
    label = table_label(path, "tpm", ["Z", "B", "A.1"], "log10p1")
    assert label.dtype == np.float32
    np.testing.assert_allclose(label, [np.nan, np.nan, 2])
    np.testing.assert_allclose(table_label(path, "tpm", ["C", "A.1"], "none"), [-1, 99])


def test_logarithms_are_not_taken_twice(tmp_path: Path) -> None:
    path = tmp_path / "expression.tsv"
    path.write_text("gene_id\ttpm\nA\t9\nB\t-0.5\n")
    with pytest.raises(
        InputError, match=r"tpm of 'B' is -0\.5, but log10\(1 \+ x\) needs values of 0 or more. If the column"
    ):
        table_label(path, "tpm", ["A", "B"], "log10p1")


def test_an_unknown_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "expression.tsv"
    path.write_text("gene_id\tK562_TPM\nA\t9\n")
    with pytest.raises(InputError, match=r"has no column 'k562_TPM'. Did you mean 'K562_TPM'?"):
        table_label(path, "k562_TPM", ["A"], "log10p1")
