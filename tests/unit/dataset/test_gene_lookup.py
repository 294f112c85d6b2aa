from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from epigx.dataset.gene_lookup import find_genes
from epigx.errors import DatasetError

GENES = pd.DataFrame(
    {
        "gene_id": ["ENSG1.12", "ENSG2.3", "ENSG3", "ENSG4.1", "ENSG4.2", "SIMG5.1"],
        "symbol": ["GATA1", "TP53", "Y_RNA", "Y_RNA", "MYC", "ENSG2"],
    }
)


def find(*names):
    return find_genes(GENES, names, Path("data")).tolist()


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("GATA1", 0),
        ("ENSG1.12", 0),
        ("ENSG1", 0),
        ("ENSG1.9", 0),  # another version
        ("ENSG3.5", 2),
        ("ENSG4.2", 4),
        ("SIMG5", 5),
        ("ENSG2", 5),  # a symbol before another version of an id
        ("ENSG2.3", 1),
    ],
)
def test_by_symbol_or_id(name, row):
    assert find(name) == [row]


def test_the_order_is_kept():
    assert find("TP53", "GATA1", "TP53") == [1, 0, 1]
    assert find() == []


def test_a_symbol_of_several_genes():
    with pytest.raises(DatasetError, match=r"2 genes named 'Y_RNA'\. Use one of their ids: ENSG3, ENSG4\.1\."):
        find("Y_RNA")


def test_an_id_of_several_versions():
    with pytest.raises(DatasetError, match=r"2 genes named 'ENSG4'\. Use one of their ids: ENSG4\.1, ENSG4\.2"):
        find("ENSG4")


@pytest.mark.parametrize("name", ["GATA2", "gata1", "Gata1"])
def test_a_similar_name_is_suggested(name):
    with pytest.raises(DatasetError, match=rf"data has no gene '{name}'\. Did you mean 'GATA1'\?"):
        find(name)


def test_a_name_like_no_other():
    with pytest.raises(
        DatasetError, match=r"data has no gene 'x'\. Use a gene symbol or a gene id of its genes\.parquet"
    ):
        find("x")


def test_several_unknown_genes():
    with pytest.raises(DatasetError, match=r"data does not have these 2 genes: x, y\. Remove them"):
        find("x", "GATA1", "y")
    with pytest.raises(DatasetError, match=r"these 7 genes: a0, a1, a2, a3, a4 and 2 more\."):
        find(*(f"a{number}" for number in range(7)))
