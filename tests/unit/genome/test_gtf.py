from __future__ import annotations

from pathlib import Path

import pytest

from epigx.errors import InputError
from epigx.genome.gtf import gene_biotype, read_gtf

LINE = 'chr1\tHAVANA\tgene\t{}\t{}\t.\t{}\t.\tgene_id "G1.2"; gene_type "protein_coding"; level 2; tag "a"; tag "b";\n'


def test_lines_and_attributes(tmp_path: Path) -> None:
    path = tmp_path / "genes.gtf"
    path.write_text("##format: gtf\n\n" + LINE.format(11, 20, "-") + LINE.format(1, 1, "+").replace("gene\t", "exon\t"))
    lines = read_gtf(path, {"gene"}, ("gene_id", "tag", "level", "gene_name"))
    assert lines.to_dict("records") == [
        {
            "feature": "gene",
            "chrom": "chr1",
            "start": 10,
            "end": 20,
            "strand": "-",
            "gene_id": "G1.2",
            "tag": "a,b",
            "level": "2",
            "gene_name": "",
            "line": 3,
        }
    ]


def test_quoted_values_may_contain_separators(tmp_path: Path) -> None:
    path = tmp_path / "genes.gtf"
    path.write_text('1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "a; b"; note "c d"; gene_id_2 "no"\r\n')
    lines = read_gtf(path, {"gene"}, ("gene_id", "note"))
    assert lines.loc[0, ["gene_id", "note"]].tolist() == ["a; b", "c d"]


def test_both_names_of_the_biotype(tmp_path: Path) -> None:
    path = tmp_path / "genes.gtf"
    path.write_text(LINE.format(1, 9, "+") + LINE.format(1, 9, "+").replace("gene_type", "gene_biotype"))
    lines = read_gtf(path, {"gene"}, ("gene_type", "gene_biotype"))
    assert gene_biotype(lines).tolist() == ["protein_coding", "protein_coding"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t1\t2\n", "line 2: 3 columns instead of 9. Check that it is a tab-separated GTF"),
        (LINE.format("x", 20, "+"), "line 2: start 'x' and end '20' are not whole numbers"),
        (LINE.format(0, 20, "+"), "line 2: start 0 and end 20 are not an interval. GTF is 1-based"),
        (LINE.format(21, 20, "+"), "line 2: start 21 and end 20 are not an interval"),
        (LINE.format(1, 20, "."), r"line 2: strand '\.' is not \+ or -"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "genes.gtf"
    path.write_text(LINE.format(1, 9, "+") + line)
    with pytest.raises(InputError, match=message):
        read_gtf(path, {"gene"}, ("gene_id",))
