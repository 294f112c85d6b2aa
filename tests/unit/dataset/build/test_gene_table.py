from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.build.gene_table import FeatureSource, implausible, order_genes, select_genes, table_columns
from epigx.dataset.manifest.sources import FeatureColumn
from epigx.errors import InputError
from epigx.genome.sequence import Genome

GTF = [
    'chr1\tx\texon\t1001\t2000\t.\t+\t.\tgene_id "g0"; transcript_id "t0";',
    'chr1\tx\tCDS\t1201\t1500\t.\t+\t0\tgene_id "g0"; transcript_id "t0";',
]


def _genome(files):
    return Genome(files.folder / "genome.fa")


def test_genes_come_as_the_fasta_has_its_chromosomes(genome_files):
    genome_files.write_fasta({"chr2": 4000, "chr1": 6000})
    genes = order_genes(select_genes(genome_files.manifest()), _genome(genome_files))
    assert genes["gene_id"].tolist() == ["g1", "g0", "g7", "g2", "g3", "g4", "g5", "g6"]
    assert list(genes.index) == list(range(8))


def test_genes_of_one_tss_come_by_identifier(genome_files):
    genome_files.write_genes([("chr1", 5, "+")] * 3, ["z", "a", "m"])
    genes = order_genes(select_genes(genome_files.manifest()), _genome(genome_files))
    assert genes["gene_id"].tolist() == ["a", "m", "z"]


def test_two_names_of_a_chromosome_stand_apart(genome_files):
    genome_files.write_genes([("chr1", 5, "+"), ("1", 7, "+"), ("chr1", 9, "+")], ["a", "b", "c"])
    genes = order_genes(select_genes(genome_files.manifest()), _genome(genome_files))
    assert genes["chrom"].tolist() in (["1", "chr1", "chr1"], ["chr1", "chr1", "1"])


@pytest.mark.parametrize("name", ["chr2", "2"])
def test_chromosomes_can_be_chosen(genome_files, name):
    genome_files.values["chromosomes"] = [name]
    assert set(select_genes(genome_files.manifest())["chrom"]) == {"chr2"}


def test_chromosome_without_genes(genome_files):
    genome_files.values["chromosomes"] = ["chr1", "chr3"]
    with pytest.raises(InputError, match=r"genes\.bed has no gene on the chromosome 'chr3'\. Did you mean 'chr[12]'"):
        select_genes(genome_files.manifest())


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (FeatureColumn(), [False, False, False, True, True]),
        (FeatureColumn(maximum=1), [False, False, True, True, True]),
        (FeatureColumn(minimum=None), [False, False, False, False, True]),
    ],
)
def test_implausible_values(column, expected):
    assert implausible(np.array([np.nan, 0.5, 3.0, -2.0, np.inf]), column).tolist() == expected


def test_features_of_a_table(genome_files):
    genome_files.write_table("features.tsv", {"len": [1, -7, 3, 4, 5, 6, 7, 8], "density": [""] + ["2"] * 7})
    genome_files.values["features"]["columns"] = {"cds_length": {"column": "len"}, "density": "none"}
    manifest = genome_files.manifest()
    genes = select_genes(manifest)
    columns = table_columns(manifest, genes, _genome(genome_files))
    values = {name: dict(zip(genes["gene_id"], column, strict=True)) for name, column in columns.items()}
    assert values["cds_length"]["g0"] == 1
    assert np.isnan(values["cds_length"]["g1"])
    assert np.isnan(values["density"]["g0"])
    assert values["density"]["g5"] == 2
    assert set(values) == {"cds_length", "density", "expression:A", "expression:B"}


def test_features_computed_from_a_gtf(genome_files):
    genome_files.write_text("genes.gtf", GTF)
    source = FeatureSource(genome_files.folder / "genes.gtf", ["cds_length", "cds_gc"], _genome(genome_files))
    assert source.values("cds_length", ["g5", "g0"]).tolist()[1] == 300
    assert np.isnan(source.values("cds_length", ["g5"])).all()
    assert 0 < source.values("cds_gc", ["g0"])[0] < 1


@pytest.mark.parametrize(("name", "choice"), [("cds_lenght", "Did you mean 'cds_length'"), ("gene_id", "Choose from")])
def test_feature_that_a_gtf_does_not_give(genome_files, name, choice):
    genome_files.write_text("genes.gtf", GTF)
    source = FeatureSource(genome_files.folder / "genes.gtf", [name], _genome(genome_files))
    with pytest.raises(InputError, match=rf"genes\.gtf has no feature '{name}'.*{choice}"):
        source.values(name, ["g0"])


def test_feature_that_a_table_lacks(genome_files):
    source = FeatureSource(genome_files.folder / "features.tsv", ["cds_lenght"], _genome(genome_files))
    with pytest.raises(InputError, match=r"no column 'cds_lenght'\. Did you mean 'cds_length'"):
        source.values("cds_lenght", ["g0"])
