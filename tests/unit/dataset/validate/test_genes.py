from __future__ import annotations

import pytest


def test_chromosome_that_the_genome_lacks(genome_files, messages):
    genome_files.write_genes([("chr1", 2000, "+"), ("chr9", 5, "+"), ("chr9", 7, "-")])
    assert (
        "error: genome.fa: it has no chromosome chr9, but 2 genes of genes.bed are there. Use files of one assembly, "
        "or list the chromosomes to use under `chromosomes`."
    ) in messages()
    genome_files.values["chromosomes"] = ["chr1"]
    assert not [message for message in messages() if message.startswith("error: genome.fa")]


def test_other_chromosome_names_are_a_notice(genome_files, messages):
    genome_files.write_genes([(chrom.removeprefix("chr"), tss, strand) for chrom, tss, strand in genome_files.places])
    said = messages()
    assert "notice: genome.fa: 2 is called chr2, 1 is called chr1 in this file." in said
    assert "notice: A.h3k27ac.bigWig: 2 is called chr2, 1 is called chr1 in this file." in said
    assert not [message for message in said if message.startswith("error")]


def test_gene_past_the_end(genome_files, messages):
    genome_files.write_genes([("chr1", 2000, "+"), ("chr1", 6000, "+"), ("chr2", 9000, "-")])
    assert (
        "error: genes.bed: the TSS of g1 at chr1:6,001 lies past the chromosome's end in genome.fa (2 such genes). "
        "Use genes and genome of one assembly."
    ) in messages()


@pytest.mark.parametrize(
    ("places", "names", "message"),
    [
        ([("chr1", 5, "+"), ("chr1", 9, "+")], ["a", "a"], "line 2: gene 'a' is listed twice"),
        ([("chr1", 5, ".")], ["a"], "line 1: strand '.' is not + or -"),
    ],
)
def test_genes_that_cannot_be_read(genome_files, messages, places, names, message):
    genome_files.write_genes(places, names)
    errors = [said for said in messages() if said.startswith("error")]
    assert len(errors) == 1
    assert message in errors[0]


def test_windows_without_a_base(genome_files, messages):
    genome_files.write_genes([("chr1", 230, "+"), ("chr1", 2000, "+")])
    assert (
        "warning: genome.fa: 50% of 2 windows checked have only N bases. Use an unmasked genome, or leave out such "
        "genes in training with data.min_dna_coverage."
    ) in messages(window=20)
    genome_files.write_genes([("chr1", 230, "+"), ("chr2", 231, "+")])
    assert (
        "error: genome.fa: every window has only N bases (2 checked). Use an unmasked genome of the genes' assembly."
    ) in messages(window=20)


def test_empty_splits(genome_files, messages):
    genome_files.values["split"] = {"valid": ["chr1"], "test": ["chr2"]}
    remedy = "Hold out fewer chromosomes under `split`."
    assert f"warning: split: no gene is in the train split. {remedy}" in messages()


def test_features_that_are_absent_or_cannot_be(genome_files, messages):
    genome_files.write_table("features.tsv", {"cds_length": [5, -4, -3, -2, -1, 6, 7, 8], "density": ["", *"1234567"]})
    said = messages()
    assert (
        "warning: features.tsv: 1 gene of 8 without density: models get the mean of the training genes instead. "
        "Add the values if you have them."
    ) in said
    assert (
        "warning: features.tsv: cds_length cannot be -4 of g1, -3 of g2, -2 of g3 (4 such values): `epigx build` "
        "treats it as missing. Correct it, or set `minimum` and `maximum` of cds_length in the manifest."
    ) in said
    genome_files.write_table("features.tsv", {"cds_length": [""] * 8, "density": [1] * 8})
    assert "error: features.tsv: no gene has a cds_length. Use the same gene identifiers as genes.bed." in messages()


def test_all_feature_columns_that_are_absent(genome_files, messages):
    genome_files.values["features"]["columns"] = {"cds_lenght": "none", "densty": "none", "density": "none"}
    errors = [said for said in messages() if said.startswith("error")]
    assert len(errors) == 2
    assert "no column 'cds_lenght'. Did you mean 'cds_length'?" in errors[0]
    assert "no column 'densty'. Did you mean 'density'?" in errors[1]


def test_genes_without_a_label(genome_files, messages):
    genome_files.write_table("expression.tsv", {"A_TPM": ["", "", "", *"12345"], "B_TPM": [""] * 8})
    said = messages()
    assert (
        "warning: A: 3 genes have no label in A_TPM of expression.tsv (chr2 2, chr1 1): left out of training and "
        "evaluation. Add the labels if you have them."
    ) in said
    assert (
        "error: B: no gene has a label in B_TPM of expression.tsv. Use the gene identifiers of the gene file. "
        "Prediction-only cell types don't need `expression`."
    ) in said


def test_label_column_that_is_absent(genome_files, messages):
    genome_files.values["cell_types"]["A"]["expression"]["column"] = "A_TMP"
    errors = [said for said in messages() if said.startswith("error: A")]
    assert len(errors) == 1
    assert "no column 'A_TMP'. Did you mean 'A_TPM'?" in errors[0]


def test_labels_that_cannot_be(genome_files, messages):
    genome_files.write_table("expression.tsv", {"A_TPM": [900, *range(7)], "B_TPM": [3] * 8})
    genome_files.values["cell_types"]["A"]["expression"]["transform"] = "none"
    said = messages()
    assert (
        "warning: A: labels in A_TPM of expression.tsv reach 900, too large for log10(1 + x). Set `transform: log10p1`."
    ) in said
    assert (
        "error: B: every label in B_TPM of expression.tsv is 0.60206: a model cannot learn from a constant. "
        "Check the column or track."
    ) in said


def test_a_gene_twice_is_said_once_and_hides_no_other_fault(genome_files, messages):
    path = genome_files.folder / "features.tsv"
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    genome_files.values["features"]["columns"] = {"cds_length": "none", "densty": "none", "density": "none"}
    errors = [said for said in messages() if said.startswith("error: features.tsv")]
    assert len(errors) == 2
    assert "line 10: gene 'g0' is listed twice" in errors[0]
    assert "no column 'densty'. Did you mean 'density'?" in errors[1]


def test_gc_is_not_asked_of_a_genome_that_is_absent(genome_files, messages):
    lines = ['chr1\tx\tCDS\t1201\t1500\t.\t+\t0\tgene_id "g0"; transcript_id "t0";']
    genome_files.write_text("genes.gtf", [lines[0].replace("CDS", "exon"), *lines])
    genome_files.values["features"] = {"file": "genes.gtf", "columns": {"cds_gc": "none", "cds_lenght": "none"}}
    (genome_files.folder / "genome.fa").unlink()
    errors = [said for said in messages() if said.startswith("error")]
    assert len(errors) == 2
    assert "genome.fa: the file does not exist" in errors[0]
    assert "has no feature 'cds_lenght'. Did you mean 'cds_length'?" in errors[1]
