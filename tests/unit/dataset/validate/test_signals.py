from __future__ import annotations

import pytest

WHERE = "A.h3k27ac.bigWig"


def of(said, where=WHERE):
    return [message for message in said if f": {where}: " in message]


def test_wrong_chromosome_names(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("one", 0, 50, 1.0), ("two", 0, 50, 1.0)], {"one": 6000, "two": 4000})
    assert of(messages()) == [
        f"error: {WHERE}: it has none of the genes' chromosomes chr2, chr1; it has one, two. "
        "Use files of one assembly with the same chromosome names."
    ]


def test_chromosome_that_the_file_lacks(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 0, 6000, 1.0)], {"chr1": 6000})
    assert of(messages()) == [
        f"warning: {WHERE}: it has no data on chr2 (3 genes): read as 0 there. "
        "Use a file with all chromosomes, or list the ones to use under `chromosomes`."
    ]


def test_another_assembly(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 0, 50, 1.0), ("chr2", 0, 50, 1.0)], {"chr1": 6001, "chr2": 4000})
    assert of(messages()) == [
        f"error: {WHERE}: its chr1 has 6,001 bp, but genome.fa has 6,000 (1 chromosome of 2 differ). It is of another "
        "assembly: lift it over, or use that assembly's genome and genes."
    ]


def test_track_of_zeros(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 0, 6000, 0.0), ("chr2", 0, 4000, 0.0)])
    assert of(messages()) == [
        f"error: {WHERE}: it is 0 everywhere. Download or make it again, or leave the signal out."
    ]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_track_without_a_value(genome_files, messages, value):
    rows = [("chr3", 0, 9, 1.0)] if value is None else [("chr1", 0, 6000, value), ("chr2", 0, 4000, value)]
    genome_files.write_bigwig(WHERE, rows, {"chr1": 6000, "chr2": 4000, "chr3": 9})
    said = of(messages())
    assert len(said) == 1
    assert said[0].startswith("error")
    assert "no value on the genes' chromosomes" in said[0] or "none of the genes' chromosomes" in said[0]


def test_track_with_little_but_nan(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 1950, 2000, 3.0), ("chr2", 100, 110, 1.0)])
    assert of(messages()) == [
        f"warning: {WHERE}: 96% of the bases of 8 windows have no value (NaN): read as 0. "
        "This is fine for a file of peaks; for coverage, use a track with values everywhere."
    ]


def test_peaks_may_be_sparse(genome_files, messages):
    genome_files.write_text("A.narrowPeak", [f"chr{n}\t1500\t1510\tp\t0\t.\t5\t-1\t-1\t-1" for n in (1, 2)])
    genome_files.values["cell_types"]["A"]["signals"]["dnase"] = "A.narrowPeak"
    assert of(messages(), "A.narrowPeak") == []


def test_track_that_is_silent_at_the_genes(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 4000, 4100, 3.0), ("chr2", 3000, 3010, 1.0)])
    assert of(messages()) == [
        f"warning: {WHERE}: it is 0 or has no value in all 8 windows checked. "
        "Check that it is the right file and of the genes' assembly."
    ]


def test_negative_values_under_a_logarithm(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 0, 6000, -1.5), ("chr2", 0, 4000, 2.0)])
    assert of(messages()) == [
        f"error: {WHERE}: it has negative values, but log1p needs values of 0 or more. Use asinh or none."
    ]
    genome_files.values["signals"]["h3k27ac"]["transform"] = "asinh"
    assert of(messages()) == []


def test_values_beyond_float16(genome_files, messages):
    rows = [("chr1", 0, 2000, 1.0), ("chr1", 2000, 2010, 1e5), ("chr2", 0, 4000, 2.0)]
    genome_files.write_bigwig(WHERE, rows)
    assert of(messages()) == [
        f"error: {WHERE}: it reaches 100000, but float16 stores at most 65504. Set `dtype: float32` in the manifest."
    ]
    genome_files.values["dtype"] = "float32"
    assert of(messages()) == []


def test_values_beyond_float16_far_from_genes_do_no_harm(genome_files, messages):
    genome_files.write_bigwig(WHERE, [("chr1", 0, 4500, 1.0), ("chr1", 4500, 4510, 1e5), ("chr2", 0, 4000, 2.0)])
    assert of(messages()) == []


def test_contacts_without_contact(genome_files, messages):
    genome_files.write_text("loops.bedpe", ["chr1 4000 4100 chr1 5000 5100 loop 3.5", "chr2 5 6 chr2 9 10 loop 2"])
    assert (
        "warning: loops.bedpe: no contact at any of the 5 genes checked on chr1. "
        "Check that it is the right file and of the genes' assembly."
    ) in messages()


def test_power_law_is_flagged(genome_files, messages):
    genome_files.values["cell_types"]["A"]["signals"]["hic"] = {"kind": "powerlaw"}
    assert "notice: A hic: contacts are computed from distance by a power law, as there is no Hi-C file." in messages()


@pytest.fixture
def with_cage(genome_files):
    for strand, value in (("plus", 5.0), ("minus", 2.0)):
        rows = [(chrom, start, start + 40, value + start) for chrom in ("chr1", "chr2") for start in (0, 1480, 2480)]
        genome_files.write_bigwig(f"{strand}.bw", rows)
    genome_files.values["cell_types"]["A"]["expression"] = {"plus": "plus.bw", "minus": "minus.bw"}
    return genome_files


def test_cage(with_cage, messages):
    assert not [said for said in messages() if "plus" in said or "minus" in said]


def test_cage_that_is_silent(with_cage, messages):
    for name in ("plus.bw", "minus.bw"):
        with_cage.write_bigwig(name, [("chr1", 4000, 4010, 3.0), ("chr2", 3000, 3010, 1.0)])
    assert (
        "error: A: every label in plus.bw and minus.bw is 0: a model cannot learn from a constant. "
        "Check the column or track."
    ) in messages()


def test_cage_of_another_assembly(with_cage, messages):
    with_cage.write_bigwig("minus.bw", [("chr1", 0, 9, 3.0), ("chr2", 0, 9, 1.0)], {"chr1": 5000, "chr2": 4000})
    assert [said.split(":")[:2] for said in of(messages(), "minus.bw")] == [["error", " minus.bw"]]


def test_cage_that_lacks_a_chromosome(with_cage, messages):
    with_cage.write_bigwig("minus.bw", [("chr1", 0, 9, 3.0)], {"chr1": 6000})
    assert of(messages(), "minus.bw")[0] == (
        "warning: minus.bw: it has no data on chr2 (3 genes): no label there. "
        "Use a file with all chromosomes, or list the ones to use under `chromosomes`."
    )


def test_cage_that_is_absent(with_cage, messages):
    (with_cage.folder / "plus.bw").unlink()
    assert [said.split(":")[0] for said in messages() if "plus.bw" in said] == ["error"]
