from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset import window_grid
from epigx.dataset.build.gene_table import order_genes, select_genes
from epigx.dataset.build.readers import Readers
from epigx.dataset.build.tasks import DigestTask, SequenceTask, SignalTask
from epigx.dataset.npy import make_array
from epigx.errors import InputError
from epigx.genome.sequence import N

WINDOW = 100


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "whole"
    (folder / "signals").mkdir(parents=True)
    make_array(folder / "sequence.npy", (8, WINDOW), np.uint8)
    make_array(folder / "signals" / "A.npy", (8, WINDOW, 3), np.float16)
    return folder


def _of_chr1(files):
    readers = Readers(files.manifest(), WINDOW)
    genes = order_genes(select_genes(readers.manifest), readers.genome)
    return readers, genes[genes["chrom"] == "chr1"]


def test_names_differ(genome_files):
    _, genes = _of_chr1(genome_files)
    names = {
        SequenceTask("chr1", 0, genes).name,
        SequenceTask("chr2", 5, genes).name,
        SignalTask("chr1", 0, genes, "A").name,
        SignalTask("chr1", 0, genes, "B").name,
        SignalTask("chr2", 5, genes, "A").name,
    }
    assert len(names) == 5


def test_rows_of_other_chromosomes_are_left_alone(genome_files, folder):
    readers, genes = _of_chr1(genome_files)
    SequenceTask("chr1", 3, genes).run(readers, WINDOW, folder)
    codes = np.load(folder / "sequence.npy")
    assert not codes[:3].any()
    assert all(row.any() for row in codes[3:])


def test_known_bases_are_counted(genome_files, folder):
    readers, genes = _of_chr1(genome_files)
    report = SequenceTask("chr1", 0, genes).run(readers, WINDOW, folder)
    np.testing.assert_allclose(report["dna_coverage"], (np.load(folder / "sequence.npy")[:5] != N).mean(axis=1))
    assert report["dna_coverage"][0] == 0.5  # the TSS is the chromosome's first base


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_chunks_do_not_matter(genome_files, folder, monkeypatch, rows):
    readers, genes = _of_chr1(genome_files)
    report = SequenceTask("chr1", 0, genes).run(readers, WINDOW, folder)
    SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)
    whole = [(folder / name).read_bytes() for name in ("sequence.npy", "signals/A.npy")]
    monkeypatch.setattr(window_grid, "MAX_BASES", WINDOW * rows)
    for name, kind in (("sequence.npy", (8, WINDOW)), ("signals/A.npy", (8, WINDOW, 3))):
        make_array(folder / name, kind, np.uint8 if len(kind) == 2 else np.float16)
    assert SequenceTask("chr1", 0, genes).run(readers, WINDOW, folder) == report
    SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)
    assert [(folder / name).read_bytes() for name in ("sequence.npy", "signals/A.npy")] == whole


@pytest.mark.parametrize("value", [7e4, np.inf])
def test_value_that_cannot_be_stored(genome_files, folder, value):
    genome_files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 1990, 2010, value)])
    readers, genes = _of_chr1(genome_files)
    with pytest.raises(InputError, match=r"A\.h3k27ac\.bigWig reaches (70000|inf) on chr1 in A, too large for float16"):
        SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)


def test_promoter_activity(genome_files, folder):
    genome_files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 0, 6000, 8.0)])
    genome_files.write_text("A.dnase.bedGraph", ["chr1\t0\t6000\t2"])
    readers, genes = _of_chr1(genome_files)
    report = SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)
    inside = genes["tss"].between(500, 5500).to_numpy()
    np.testing.assert_allclose(np.array(report["promoter_activity:A"])[inside], 4)


def test_what_a_file_does_not_know_of_a_chromosome(genome_files, folder):
    genome_files.write_text("A.dnase.bedGraph", ["chr2\t0\t4000\t2"])
    genome_files.write_bigwig("plus.bw", [("chr2", 0, 4000, 1.0)], {"chr2": 4000})
    genome_files.values["cell_types"]["A"]["expression"] = {"plus": "plus.bw"}
    readers, genes = _of_chr1(genome_files)
    report = SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)
    assert report["promoter_activity:A"] == [0] * 5
    assert np.isnan(report["expression:A"]).all()


def test_cage_follows_the_strand(genome_files, folder):
    genome_files.write_bigwig("plus.bw", [("chr1", 1990, 2000, 1.0), ("chr1", 2490, 2500, 99.0)])
    genome_files.write_bigwig("minus.bw", [("chr1", 1990, 2000, 9.9), ("chr1", 2490, 2500, 7.0)])
    genome_files.values["cell_types"]["A"]["expression"] = {"plus": "plus.bw", "minus": "minus.bw", "width": 20}
    readers, genes = _of_chr1(genome_files)
    report = SignalTask("chr1", 0, genes, "A").run(readers, WINDOW, folder)
    label = dict(zip(genes["gene_id"], report["expression:A"], strict=True))
    assert label["g4"] == pytest.approx(2)  # TSS 2000, minus strand: ten times 9.9
    assert label["g5"] == pytest.approx(np.log10(991))  # TSS 2500, plus strand
    assert label["g2"] == 0


def test_checksum(tmp_path):
    (tmp_path / "a").write_text("abc")
    report = DigestTask(tmp_path / "a", "source-0").run(None, WINDOW, tmp_path)
    assert report == {"size": 3, "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
