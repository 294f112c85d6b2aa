"""Compare our readers with other readers of the same files, and with the notes on the real data."""

from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pybigtools
import pytest

from epigx.genome.contacts.contacts import open_contacts
from epigx.genome.expression import table_label
from epigx.genome.genes import read_genes
from epigx.genome.peaks.peaks import Peaks, read_peaks
from epigx.genome.sequence import Genome
from epigx.genome.tables import GeneTable
from epigx.genome.tracks.tracks import open_track

MARKS = ("DNase", "H3K27ac", "H3K4me1", "H3K4me3", "H3K27me3", "H3K36me3")


def test_windows_of_a_bigwig_have_the_values_of_its_records(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    bounds = np.sort(draw.choice(300_000, 20_000, replace=False))
    rows = [
        ("chr1", int(start), int(end), float(value))
        for start, end, value in zip(bounds[::2], bounds[1::2], draw.gamma(1, 2, 10_000), strict=True)
    ]
    path = tmp_path / "signal.bigWig"
    pybigtools.open(str(path), "w").write({"chr1": 300_000}, rows)
    dense = np.full(300_000, np.nan, dtype=np.float32)
    for start, end, value in pybigtools.open(str(path)).records("chr1"):
        dense[start:end] = value
    starts = draw.integers(0, 298_000, 200)
    windows = open_track(path, "bigwig").windows("chr1", starts, 2_000)
    np.testing.assert_array_equal(windows, dense[starts[:, None] + np.arange(2_000)])


@pytest.fixture(scope="module")
def genes(shared_data: Path) -> pd.DataFrame:
    return read_genes(shared_data / "tss.bed")


def test_the_real_genes(genes: pd.DataFrame) -> None:
    assert len(genes) == 18_331
    assert genes["chrom"].nunique() == 23


def test_windows_of_the_real_genome_are_those_of_its_text(shared_data: Path, genes: pd.DataFrame) -> None:
    path = shared_data / "genome.fa.gz"
    with gzip.open(path) as text:
        assert text.readline() == b">chr1\n"
        # Lines of one length, so a few bytes more than the bases are enough.
        start_of_chr1 = text.read(60_000_000).replace(b"\n", b"").upper()
    starts = genes.loc[genes["chrom"] == "chr1", "tss"].to_numpy() - 1_000
    starts = starts[(starts >= 0) & (starts < len(start_of_chr1) - 2_000)]
    assert len(starts) > 500
    windows = Genome(path).windows("1", starts, 2_000)
    for start, codes in zip(starts, windows, strict=True):
        known = np.frombuffer(start_of_chr1, dtype=np.uint8)[start : start + 2_000]
        np.testing.assert_array_equal(np.frombuffer(b"ACGTN", dtype=np.uint8)[codes], known)


def test_known_bases_of_the_real_genome(shared_data: Path, genes: pd.DataFrame) -> None:
    genome = Genome(shared_data / "genome.fa.gz")
    coverage = GeneTable(shared_data / "features.tsv").numbers("dna_coverage", genes["gene_id"].tolist())
    chosen = genes[genes["chrom"].isin(["chr21", "22", "chr22", "chrX"])]
    agree = []
    for chrom, group in chosen.groupby("chrom"):
        codes = genome.windows(str(chrom), group["tss"].to_numpy() - 1_000, 2_000)
        agree.append(np.abs((codes < 4).mean(axis=1) - coverage[group.index]) < 1e-3)
    # A few genes of the table do not match the genome.
    assert np.concatenate(agree).mean() > 0.99


@pytest.mark.parametrize("cell", ["K562", "GM12878"])
@pytest.mark.parametrize("mark", MARKS)
def test_each_real_bigwig_is_read_completely(shared_data: Path, genes: pd.DataFrame, cell: str, mark: str) -> None:
    track = open_track(shared_data / f"{cell}.{mark}.bigWig", "bigwig")
    covered = 0
    for chrom, group in genes.groupby("chrom"):
        values = track.windows(str(chrom), group["tss"].to_numpy() - 1_000, 2_000)
        covered += int(np.isfinite(values).sum())
    assert 5e6 < covered < 18_331 * 2_000
    assert track.summary(genes["chrom"].unique()).covered_bases > covered / 2


@pytest.mark.parametrize(("mark", "expected"), [("H3K27ac", 0.83), ("DNase", 0.70)])
def test_real_signals_correlate_with_expression_as_noted(
    shared_data: Path, genes: pd.DataFrame, mark: str, expected: float
) -> None:
    track = open_track(shared_data / f"K562.{mark}.bigWig", "bigwig")
    means = np.zeros(len(genes))
    for chrom, group in genes.groupby("chrom"):
        values = track.windows(str(chrom), group["tss"].to_numpy() - 1_000, 2_000)
        means[group.index] = np.nan_to_num(values).mean(axis=1)
    label = table_label(shared_data / "expression.tsv", "K562_CAGE_TPM", genes["gene_id"].tolist(), "log10p1")
    assert np.corrcoef(np.log10(1 + means), label)[0, 1] == pytest.approx(expected, abs=0.01)


def test_real_peaks_lie_where_their_bigwig_has_values(shared_data: Path, genes: pd.DataFrame) -> None:
    peaks = Peaks(read_peaks(shared_data / "K562.DNase.narrowPeak.gz"))
    track = open_track(shared_data / "K562.DNase.bigWig", "bigwig")
    group = genes[genes["chrom"] == "chr22"]
    places = ("chr22", group["tss"].to_numpy() - 1_000, 2_000)
    np.testing.assert_array_equal(peaks.mask(*places), np.isfinite(track.windows(*places)))


def test_real_contacts_are_the_counts_of_the_cool(shared_data: Path, genes: pd.DataFrame) -> None:
    path = shared_data / "K562.HiC.chr22.5kb.cool"
    with h5py.File(path) as cool:
        pixels = pd.DataFrame({name: cool[f"pixels/{name}"][:] for name in ("bin1_id", "bin2_id", "count")})
    counts = pixels.set_index(["bin1_id", "bin2_id"])["count"].to_dict()
    tss = genes.loc[genes["chrom"] == "chr22", "tss"].to_numpy()[:100]
    profile = open_contacts(path, "cool").profile("22", tss, tss - 20_000, 40_000)
    for row, site in enumerate(tss):
        for base in range(site - 20_000, site + 20_000, 2_500):
            pair = tuple(sorted((int(site // 5_000), int(base // 5_000))))
            assert profile[row, base - site + 20_000] == counts.get(pair, 0)


@pytest.mark.parametrize("cell", ["K562", "GM12878"])
def test_real_loops_reach_some_genes(shared_data: Path, genes: pd.DataFrame, cell: str) -> None:
    loops = open_contacts(shared_data / f"{cell}.HiC.loops.bedpe.gz", "bedpe")
    table = pd.read_csv(shared_data / f"{cell}.HiC.loops.bedpe.gz", sep="\t", header=None)
    highest = table[10].max()
    reached = 0
    for chrom, group in genes.groupby("chrom"):
        tss = group["tss"].to_numpy()
        values = loops.profile(str(chrom), tss, tss, 1)[:, 0]
        assert values.max() <= highest + 1e-4
        reached += int((values > 0).sum())
    assert 500 < reached < 9_000


def test_the_one_implausible_value_of_the_real_features_is_kept(shared_data: Path, genes: pd.DataFrame) -> None:
    lengths = GeneTable(shared_data / "features.tsv").numbers("intron_length", genes["gene_id"].tolist())
    assert genes["gene_id"][lengths < 0].tolist() == ["ENSG00000125863"]
