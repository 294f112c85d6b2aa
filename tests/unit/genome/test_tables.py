from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.tables import GeneTable, match_genes, read_table


@pytest.mark.parametrize(
    ("genes", "table", "rows"),
    [
        (["ENSG1.2"], ["ENSG1.2"], [0]),
        (["ENSG1"], ["ENSG1.2"], [0]),
        (["ENSG1.3"], ["ENSG1.2"], [0]),
        (["ENSG1.3"], ["ENSG1"], [0]),
        (["ENSG1.3"], ["ENSG1.2", "ENSG1.3"], [1]),
        (["ENSG1.4"], ["ENSG1.2", "ENSG1.3"], [-1]),
        (["ENSG1.3_PAR_Y", "ENSG1.3"], ["ENSG1"], [-1, 0]),
        (["ENSMUSG1.3"], ["ENSMUSG1"], [0]),
        (["AC123.4"], ["AC123"], [-1]),
        (["TP53"], ["TP53"], [0]),
        ([], ["ENSG1"], []),
    ],
)
def test_ids_match_with_or_without_versions(genes: list[str], table: list[str], rows: list[int]) -> None:
    assert match_genes(genes, table).tolist() == rows


@pytest.mark.parametrize(
    "text",
    [
        "gene_id\tx\ty\nA\t1\t2\nB\t\tNA\n",
        "gene_id,x,y\nA,1,2\nB,,nan\n",
        "#gene_id\tx\ty\r\nA\t1\t2\r\nB\t.\tnull\r\n",
        "## made by hand\n\ngene_id\tx\ty\nA\t1\t2\n\nB\t\t\n",
        "x\tENSID\ty\n1\tA\t2\n\tB\t \n",
        "symbol\tx\ty\nA\t1\t2\nB\t\t\n".replace("symbol", "identifier"),
    ],
    ids=["TSV", "CSV", "hash and CRLF", "comment and blank lines", "id column inside", "id column unnamed"],
)
def test_columns_in_the_order_of_the_genes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(text)
    packed = tmp_path / "table.tsv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    for table in (GeneTable(path), GeneTable(packed)):
        np.testing.assert_array_equal(table.numbers("y", ["B", "C", "A"]), [np.nan, np.nan, 2])
        np.testing.assert_array_equal(table.numbers("x", ["A", "B"]), [1, np.nan])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty. Give a table with a header"),
        ("\n##\n", "is empty"),
        ("gene_id\tx\n", "has no rows below its header"),
        ("gene_id\tx\nA\t1\nB\t2\t3\n", "the rows do not match the header: .*line 3"),
        ("gene_id\tx\nA\t1\t3\n", "the rows do not match the header"),
        ("gene_id\tXx\nA\t1\n", "has no column 'x'. Did you mean 'Xx'?"),
        ("gene_id\tvalue\nA\t1\n", "has no column 'x'. Choose from: gene_id, value"),
        ("gene_id\tx\nA\t1\nB\t2\n\nA\t3\n", "line 5: gene 'A' is listed twice. Keep one row per gene"),
        ("gene_id\tx\nA\t1\nB\ttwo\n", "line 3: x is 'two', not a number. Correct it, or leave it empty"),
        ("##\ngene_id\tx\nA\t1\n\nB\tinf\n", "line 5: x is 'inf', not a number"),
    ],
)
def test_files_that_are_not_a_table_of_genes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        GeneTable(path).numbers("x", ["A"])


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tsv does not exist"):
        read_table(tmp_path / "none.tsv")
