from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from epigx.errors import InputError
from epigx.genome.genes import read_genes


def gtf(
    feature: str,
    start: int,
    end: int,
    strand: str,
    gene: str,
    *,
    chrom: str = "chr1",
    kind: str = "gene_type",
    **more: str,
) -> str:
    attributes = {"gene_id": gene, kind: "protein_coding", **more}
    text = " ".join(f'{name} "{value}";' for name, value in attributes.items())
    return f"{chrom}\tx\t{feature}\t{start}\t{end}\t.\t{strand}\t.\t{text}\n"


def read(path: Path, text: str, **options: str | None) -> list[tuple[object, ...]]:
    path.write_text(text)
    genes = read_genes(path, **options)  # type: ignore[arg-type]
    assert list(genes.columns) == ["gene_id", "symbol", "chrom", "tss", "strand"]
    assert genes["tss"].dtype == "int64"
    return list(genes.itertuples(index=False, name=None))


def test_the_tss_is_the_first_base_on_either_strand(tmp_path: Path) -> None:
    text = gtf("transcript", 101, 200, "+", "A.1", gene_name="ALPHA") + gtf("transcript", 101, 200, "-", "B.2")
    assert read(tmp_path / "genes.gtf", text) == [("A.1", "ALPHA", "chr1", 100, "+"), ("B.2", "B.2", "chr1", 199, "-")]


@pytest.mark.parametrize(
    ("tags", "tss"),
    [
        (("", "", ""), 50),
        (("", "Ensembl_canonical", ""), 100),
        (("", "Ensembl_canonical", "MANE_Select"), 150),
        (("basic,MANE_Select", "Ensembl_canonical", ""), 50),
    ],
)
def test_the_canonical_transcript_gives_the_tss_or_else_the_most_upstream(
    tmp_path: Path, tags: tuple[str, str, str], tss: int
) -> None:
    forward = gtf("gene", 11, 300, "+", "A")
    reverse = gtf("gene", 1, 400, "-", "B")
    for place, tag in enumerate(tags):
        start = 51 + 50 * place
        forward += gtf("transcript", start, 300, "+", "A", tag=tag)
        reverse += gtf("transcript", 1, 401 - start, "-", "B", tag=tag)
    genes = read(tmp_path / "genes.gtf", forward + reverse)
    assert [gene[3] for gene in genes] == [tss, 399 - tss]


def test_a_gene_without_transcripts_has_the_tss_of_its_own_line(tmp_path: Path) -> None:
    assert read(tmp_path / "genes.gtf", gtf("gene", 11, 300, "-", "A"))[0][3] == 299


def test_genes_are_selected_by_biotype_and_none_keeps_all(tmp_path: Path) -> None:
    text = gtf("transcript", 1, 9, "+", "A", kind="gene_biotype")
    text += gtf("transcript", 1, 9, "+", "B", kind="gene_biotype").replace("protein_coding", "lncRNA")
    path = tmp_path / "genes.gtf"
    assert [gene[0] for gene in read(path, text)] == ["A"]
    assert [gene[0] for gene in read(path, text, biotype="lncRNA")] == ["B"]
    assert [gene[0] for gene in read(path, text, biotype=None)] == ["A", "B"]


def test_a_pseudoautosomal_gene_is_on_the_first_chromosome(tmp_path: Path) -> None:
    text = gtf("transcript", 101, 200, "+", "SHOX", chrom="chrX") + gtf(
        "transcript", 11, 200, "+", "SHOX", chrom="chrY"
    )
    assert read(tmp_path / "genes.gtf", text) == [("SHOX", "SHOX", "chrX", 100, "+")]


def test_genes_keep_the_order_of_the_file(tmp_path: Path) -> None:
    text = "".join(gtf("transcript", start, 900, "+", gene) for start, gene in ((500, "Z"), (20, "A"), (300, "M")))
    assert [gene[0] for gene in read(tmp_path / "genes.gtf", text)] == ["Z", "A", "M"]


@pytest.mark.parametrize(
    ("record", "tss", "symbol"),
    [
        ("chr1\t100\t101\tA\t0\t+\tALPHA", 100, "ALPHA"),
        ("chr1\t100\t101\tA\t0\t-", 100, "A"),
        ("chr1\t100\t500\tA\t0\t+\t.", 100, "A"),
        ("chr1\t100\t500\tA\t0\t-", 499, "A"),
    ],
)
def test_tss_of_a_bed(tmp_path: Path, record: str, tss: int, symbol: str) -> None:
    strand = record.split("\t")[5]
    assert read(tmp_path / "tss.bed", f"track name=x\n{record}\n") == [("A", symbol, "chr1", tss, strand)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("genes.tsv", "gene_id\tchrom\ttss\tstrand\nA.1\tchr1\t100\t-\n"),
        ("genes.csv", "strand,tss,chrom,gene_id\n-,100,chr1,A.1\n"),
        ("genes.txt", "gene_id\tchrom\ttss\tstrand\tsymbol\nA.1\tchr1\t1e2\t-\t\n"),
    ],
)
def test_tss_of_a_table(tmp_path: Path, name: str, text: str) -> None:
    assert read(tmp_path / name, text) == [("A.1", "A.1", "chr1", 100, "-")]


def test_the_suffix_before_gz_determines_the_format(tmp_path: Path) -> None:
    path = tmp_path / "gencode.v44.annotation.GTF.gz"
    path.write_bytes(gzip.compress(gtf("transcript", 101, 200, "+", "A").encode()))
    pd.testing.assert_frame_equal(
        read_genes(path),
        pd.DataFrame({"gene_id": ["A"], "symbol": ["A"], "chrom": ["chr1"], "tss": [100], "strand": ["+"]}),
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("genes.gff3", "", r"has an unknown suffix. Give the genes as \.gtf, \.bed, \.tsv, \.txt or \.csv"),
        ("genes.gtf", "", "has no gene or transcript lines with a gene_id"),
        ("genes.gtf", gtf("exon", 1, 9, "+", "A"), "has no gene or transcript lines"),
        ("genes.gtf", gtf("gene", 1, 9, "+", "A", kind="note"), r"has no biotypes .* genes that are protein_coding"),
        ("genes.gtf", gtf("gene", 1, 9, "+", "A").replace("n_coding", "ncoding"), "has no protein_coding gene"),
        ("tss.bed", "chr1\t1\t2\tA\t0\t+\nchr1\t5\t6\tA\t0\t+\n", "line 2: gene 'A' is listed twice; keep one TSS"),
        ("tss.bed", "chr1\t1\t2\tA\t0\t.\n", r"line 1: strand '\.' is not \+ or -"),
        ("tss.bed", "chr1\t-1\t2\tA\t0\t+\n", "line 1: start -1 and end 2 are not an interval"),
        ("tss.bed", "chr1\t1\t2\tA\n", r"line 1: column 6 \(strand\) is missing. Check that the file is a BED of TSSs"),
        ("genes.tsv", "gene_id\tchrom\ttss\tstrand\n", "has no rows below its header"),
        ("genes.tsv", "gene_id\tchrom\ttss\tstrand\nA\tchr1\t-4\t+\n", "line 2: the TSS -4 of 'A' is negative"),
        ("genes.tsv", "gene_id\tchrom\ttss\tstrand\nA\tchr1\tx\t+\n", "line 2: tss 'x' is not a whole number"),
        ("genes.tsv", "gene_id\tchrom\ttss\tstrand\n\tchr1\t5\t+\n", "line 2: a gene has no id"),
        ("genes.tsv", "gene_id\tchrom\tstart\tstrand\nA\tchr1\t5\t+\n", "has no column 'tss'"),
    ],
)  # fmt: skip
def test_files_without_valid_genes_are_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, text)
