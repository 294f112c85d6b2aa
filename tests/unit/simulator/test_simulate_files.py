"""The simulator's files, read back: each says what the truth says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import hictkpy
import numpy as np
import pandas as pd
import pybigtools
import pysam
import pytest
from sklearn.linear_model import LinearRegression

from epigx.dataset.build.build import build
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.manifest.schema import read_manifest
from epigx.dataset.validate.check import check
from epigx.dataset.windows import Windows
from epigx.genome.transcripts import transcript_features
from epigx.simulator.annotation import Transcript, annotate
from epigx.simulator.contacts import RESOLUTIONS
from epigx.simulator.sequence import MOTIFS, REACH, motif_score, plan_sites
from epigx.simulator.simulate import Simulation, simulate

SETTINGS = Simulation(
    genes=240, chromosomes=("chr1", "chr3", "chr10", "chr22"), spacing=(9_000, 12_000), cell_types={"a": 0.2, "b": 0.5}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(SETTINGS, tmp_path_factory.mktemp("simulated") / "toy").parent


@pytest.fixture(scope="module")
def truth(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "truth.parquet")


@pytest.fixture(scope="module")
def cell(truth: pd.DataFrame) -> pd.DataFrame:
    return truth[truth["cell_type"] == "a"].reset_index(drop=True)


def windows(path: Path, genes: pd.DataFrame, half: int) -> np.ndarray:
    reader = pybigtools.open(str(path))
    rows = [
        reader.values(chrom, tss - half, tss + half, fillna=0)
        for chrom, tss in zip(genes["chrom"], genes["tss"].tolist(), strict=True)
    ]
    return np.array(rows)


def correlation(a: np.ndarray | pd.Series, b: np.ndarray | pd.Series) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def test_sizes_agree_between_fasta_tracks_and_contacts(folder: Path) -> None:
    with pysam.FastxFile(str(folder / "genome.fa")) as fasta:
        sequences = {record.name: record.sequence for record in fasta}
    sizes = {name: len(sequence) for name, sequence in sequences.items()}
    assert set("".join(sequences.values())) == set("ACGT")
    assert list(sizes) == list(SETTINGS.chromosomes)
    for name in ("h3k27ac", "dnase", "cage.plus", "cage.minus"):
        assert pybigtools.open(str(folder / f"a.{name}.bigWig")).chroms() == sizes
    assert hictkpy.MultiResFile(folder / "a.mcool").chromosomes() == sizes


def test_dna_holds_the_motif_copies_that_were_planned(folder: Path, cell: pd.DataFrame) -> None:
    records = (record.partition("\n") for record in (folder / "genome.fa").read_text().split(">")[1:])
    sequence = {header.split()[0]: bases.replace("\n", "") for header, _, bases in records}
    around = [sequence[chrom][tss - REACH : tss + REACH] for chrom, tss in zip(cell["chrom"], cell["tss"], strict=True)]
    sites = plan_sites(SETTINGS)
    for number, motif in enumerate(MOTIFS):
        exact = sites.loc[(sites["motif"] == number) & (sites["strength"] == 1), "gene"]
        planned = np.bincount(exact, minlength=len(cell))
        reverse = motif.consensus.translate(str.maketrans("ACGT", "TGCA"))[::-1]
        found = np.array([sum(bases.count(site) for site in {motif.consensus, reverse}) for bases in around])
        assert planned.sum() > 100
        assert (found >= planned).all()
        assert (found - planned).sum() <= 1  # a copy by chance is rare


def test_foreground_follows_the_motifs_as_far_as_the_cell_type_allows(truth: pd.DataFrame) -> None:
    score = motif_score(plan_sites(SETTINGS), SETTINGS.genes)
    for name, own in SETTINGS.cell_types.items():
        foreground = truth.loc[truth["cell_type"] == name, "foreground"]
        assert correlation(score, foreground) == pytest.approx(np.sqrt(1 - own), abs=0.1)


def test_cell_types_share_the_foreground_that_dna_holds(truth: pd.DataFrame) -> None:
    a, b = (truth.loc[truth["cell_type"] == name, "foreground"] for name in ("a", "b"))
    assert correlation(a, b) == pytest.approx(np.sqrt(0.8 * 0.5), abs=0.12)


def test_cage_sums_to_expression_on_the_genes_own_strand(folder: Path, cell: pd.DataFrame) -> None:
    plus, minus = (windows(folder / f"a.cage.{s}.bigWig", cell, 192).sum(axis=1) for s in ("plus", "minus"))
    forward = (cell["strand"] == "+").to_numpy()
    assert 0.3 < forward.mean() < 0.7
    own, opposite = np.where(forward, plus, minus), np.where(forward, minus, plus)
    np.testing.assert_allclose(np.log10(1 + own), cell["expression"], atol=1e-5)
    assert (opposite == 0).all()


def test_acetylation_flanks_the_tss_and_is_higher_downstream(folder: Path, cell: pd.DataFrame) -> None:
    track = windows(folder / "a.h3k27ac.bigWig", cell, 1000)
    along = np.where((cell["strand"] == "+").to_numpy()[:, None], track, track[:, ::-1])
    assert along[:, 1250].mean() > 1.2 * along[:, 700].mean() > 1.2 * along[:, 1000].mean()
    assert correlation(np.log(track[:, 600:1400].mean(axis=1)), cell["acetylation"]) > 0.9


def test_foreground_reaches_farther_than_the_promoter(folder: Path, cell: pd.DataFrame) -> None:
    track = windows(folder / "a.h3k27ac.bigWig", cell, 5000)
    distal = np.delete(track, np.s_[4000:6000], axis=1)
    assert correlation(np.log(distal.mean(axis=1)), cell["acetylation"]) > 0.6


def test_background_lifts_dnase_and_contacts_and_leaves_acetylation_peaks(folder: Path, cell: pd.DataFrame) -> None:
    dnase = windows(folder / "a.dnase.bigWig", cell, 1000).mean(axis=1)
    assert correlation(np.log(dnase), cell["background"]) > 0.75
    assert abs(correlation(np.log(dnase), cell["foreground"])) < 0.2
    contacts = hictkpy.MultiResFile(folder / "a.mcool")[RESOLUTIONS[0]]
    own = [
        contacts.fetch(f"{chrom}:{tss // 5000 * 5000}-{tss // 5000 * 5000 + 1}").to_numpy()[0, 0]
        for chrom, tss in zip(cell["chrom"], cell["tss"].tolist(), strict=True)
    ]
    assert correlation(np.log(own), cell["background"]) > 0.6


def test_background_is_alike_in_a_neighbourhood_and_not_beyond(cell: pd.DataFrame) -> None:
    neighbour, far = [], []
    for _, genes in cell.groupby("chrom"):
        value = genes["background"].to_numpy()
        neighbour += list(pairwise(value))
        far += list(zip(value[:-40], value[40:], strict=True))
    assert correlation(*np.array(neighbour).T) > 0.9
    assert correlation(*np.array(far).T) < 0.6


def test_contacts_decay_with_distance_and_add_up_at_both_resolutions(folder: Path) -> None:
    file = hictkpy.MultiResFile(folder / "a.mcool")
    assert list(file.resolutions()) == list(RESOLUTIONS)
    for chrom in SETTINGS.chromosomes:
        fine, coarse = (file[resolution].fetch(chrom, join=True).to_df() for resolution in RESOLUTIONS)
        assert fine["count"].sum() == coarse["count"].sum() > 0
        by_distance = fine.groupby(fine["start2"] - fine["start1"])["count"].mean()
        assert (by_distance.iloc[:4].diff().dropna() < 0).all()
        pairs = ["start1", "start2"]
        summed = fine.assign(**{p: fine[p] // 10_000 * 10_000 for p in pairs}).groupby(pairs)["count"].sum()
        pd.testing.assert_series_equal(summed, coarse.set_index(pairs)["count"], check_dtype=False)


def test_peaks_are_sorted_and_stand_on_dnase(folder: Path) -> None:
    names = ["chrom", "start", "end", "name", "score", "strand", "signal", "p", "q", "summit"]
    peaks = pd.read_csv(folder / "a.dnase.narrowPeak", sep="\t", names=names)
    assert peaks.equals(peaks.sort_values(["chrom", "start"], kind="stable"))
    assert (peaks["end"] - peaks["start"] == 300).all()
    assert (peaks["signal"] >= 2).all()
    summits = peaks.rename(columns={"start": "tss"}).assign(tss=peaks["start"] + peaks["summit"])
    assert correlation(windows(folder / "a.dnase.bigWig", summits, 25).mean(axis=1), peaks["signal"]) > 0.8


@pytest.mark.parametrize("window", [500, 2000, 10_000])
def test_the_manifest_passes_every_check(folder: Path, window: int) -> None:
    assert {problem.level for problem in check(read_manifest(folder / "manifest.yaml"), window)} <= {"notice"}


def test_a_dataset_built_from_it_holds_the_truth(folder: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    data = build(read_manifest(folder / "manifest.yaml"), 1000, tmp_path / "data", jobs=1)
    assert len(data.genes) == SETTINGS.genes
    assert (data.genes["dna_coverage"] == 1).all()
    for name in SETTINGS.cell_types:
        known = truth[truth["cell_type"] == name].set_index("gene_id").loc[data.genes["gene_id"]]
        np.testing.assert_allclose(data.expression(name), known["expression"], atol=1e-5)
        h3k27ac, dnase, hic = np.log(np.asarray(data.signal_values(name), np.float32).mean(axis=1)).T
        assert correlation(h3k27ac, known["acetylation"]) > 0.9
        assert correlation(dnase, known["background"]) > 0.75
        assert correlation(hic, known["background"]) > 0.6


def test_a_dataset_built_from_it_serves_every_model(folder: Path, truth: pd.DataFrame, tmp_path: Path) -> None:
    data = build(read_manifest(folder / "manifest.yaml"), 2000, tmp_path / "data", jobs=1)
    rows = np.arange(len(data))
    windows = Windows(data, "a", rows, fit_inputs(data, ["a"], rows), needs=("peaks", "blacklist", "elements"))
    batch = windows.__getitems__(rows)
    at_tss = batch.peaks[:, 1000].float().mean()
    assert at_tss > 0.6
    assert batch.peaks.float().mean() < at_tss / 2
    assert 0 < batch.blacklist.float().mean() < 0.1
    distance = batch.elements.features[..., 0]
    # One or two distal elements of each gene lie 1.5 to 4.5 kb away; most of them are high enough to be called.
    near = ((distance > 1.2) & (distance < 4.6)).sum(dim=1)
    assert near.float().mean() > 1
    assert (distance[:, 1:] < 10).all()


@pytest.fixture(scope="module")
def gtf(folder: Path) -> pd.DataFrame:
    names = ["chrom", "source", "feature", "start", "end", "score", "strand", "frame", "attributes"]
    table = pd.read_csv(folder / "genes.gtf", sep="\t", names=names, comment="#")
    for key in ("gene_id", "transcript_id", "gene_type"):
        table[key] = table["attributes"].str.extract(rf'{key} "([^"]+)"')
    return table


def test_gtf_genes_start_at_their_tss(gtf: pd.DataFrame, cell: pd.DataFrame) -> None:
    genes = gtf[(gtf["feature"] == "gene") & (gtf["gene_type"] == "protein_coding")].reset_index(drop=True)
    tss = np.where(genes["strand"] == "+", genes["start"] - 1, genes["end"] - 1)
    np.testing.assert_array_equal(tss, cell["tss"])
    assert genes["gene_id"].tolist() == cell["gene_id"].tolist()
    canonical = gtf[(gtf["feature"] == "transcript") & gtf["attributes"].str.contains("Ensembl_canonical")]
    np.testing.assert_array_equal(canonical["start"], genes["start"])
    np.testing.assert_array_equal(canonical["end"], genes["end"])


def test_gtf_has_noncoding_genes_and_second_transcripts_to_choose_from(gtf: pd.DataFrame) -> None:
    assert (gtf["gene_type"] == "lncRNA").any()
    per_gene = gtf[gtf["feature"] == "transcript"].groupby("gene_id").size()
    assert set(per_gene) == {1, 2}


def test_exons_are_the_union_of_coding_and_untranslated_parts(gtf: pd.DataFrame) -> None:
    length = (gtf["end"] - gtf["start"] + 1).groupby([gtf["transcript_id"], gtf["feature"]]).sum().unstack()
    coding = length.dropna(subset="CDS")
    np.testing.assert_array_equal(coding["exon"], coding["CDS"] + coding["UTR"])
    assert (coding["CDS"] % 3 == 0).all()


@pytest.mark.parametrize(
    ("transcript", "parts"),
    [
        (Transcript(10, (30,), (), 5), [("exon", 0, 45), ("UTR", 0, 10), ("CDS", 10, 40), ("UTR", 40, 45)]),
        (
            Transcript(10, (30, 6), (100,), 5),
            [
                ("exon", 0, 40),
                ("UTR", 0, 10),
                ("CDS", 10, 40),
                ("exon", 140, 151),
                ("CDS", 140, 146),
                ("UTR", 146, 151),
            ],
        ),
    ],
)
def test_a_transcript_lays_out_its_parts(transcript: Transcript, parts: list[tuple[str, int, int]]) -> None:
    assert list(transcript.parts()) == parts


def test_features_of_the_gtf_are_those_that_expression_depends_on(folder: Path, cell: pd.DataFrame) -> None:
    features = transcript_features(folder / "genes.gtf").set_index("gene_id").loc[cell["gene_id"]]
    transcripts = annotate(SETTINGS).transcripts
    np.testing.assert_array_equal(features["utr5_length"], [t.utr5 for t in transcripts])
    np.testing.assert_array_equal(features["utr3_length"], [t.utr3 for t in transcripts])
    np.testing.assert_allclose(features["orf_exon_density"], [t.exon_density for t in transcripts])
    lengths = np.log(features[["utr5_length", "utr3_length"]].to_numpy(float))
    terms = LinearRegression().fit(np.c_[lengths, features["orf_exon_density"]], cell["transcript"])
    assert terms.score(np.c_[lengths, features["orf_exon_density"]], cell["transcript"]) == pytest.approx(1)


def test_genes_lie_apart_and_inside_their_chromosome() -> None:
    annotation = annotate(SETTINGS)
    bodies = [list(transcript.parts())[-1][2] for transcript in annotation.transcripts]
    genes = annotation.genes.assign(body=bodies)
    for chrom, here in genes.groupby("chrom"):
        assert all(9_000 <= b - a <= 12_000 for a, b in pairwise(here["tss"]))
        reach = np.maximum(here["body"], 10_000)
        assert (here["tss"] - reach >= 0).all()
        assert (here["tss"] + reach <= annotation.sizes[chrom]).all()
