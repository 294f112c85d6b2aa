from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.peaks.elements import promoter_activity
from epigx.genome.sequence import Genome
from epigx.genome.tracks.tracks import open_track
from epigx.genome.transcripts import transcript_features


def line(feature: str, start: int, end: int, strand: str, gene: str, transcript: str, kind: str = "") -> str:
    """A GTF line of the 0-based half-open interval."""
    attributes = f'gene_id "{gene}"; transcript_id "{transcript}";' + (f' transcript_type "{kind}";' if kind else "")
    return f"chr1\tx\t{feature}\t{start + 1}\t{end}\t.\t{strand}\t.\t{attributes}\n"


# Two transcripts that share an exon; coding exons 15-20, 30-40 and 30-35.
FORWARD = (
    line("exon", 10, 20, "+", "A", "A1")
    + line("exon", 30, 50, "+", "A", "A1")
    + line("CDS", 15, 20, "+", "A", "A1")
    + line("CDS", 30, 37, "+", "A", "A1")
    + line("stop_codon", 37, 40, "+", "A", "A1")
    + line("exon", 25, 60, "+", "A", "A2")
    + line("CDS", 30, 35, "+", "A", "A2")
)


def mirrored(text: str, length: int = 100) -> str:
    """The same gene on the other strand of a chromosome."""
    lines = []
    for row in text.splitlines():
        fields = row.split("\t")
        fields[3], fields[4] = str(length + 1 - int(fields[4])), str(length + 1 - int(fields[3]))
        fields[6] = "-"
        lines.append("\t".join(fields).replace("A", "B") + "\n")
    return "".join(lines)


@pytest.fixture
def gtf(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "genes.gtf"
        path.write_text(text)
        return path

    return write


def test_unions_over_the_transcripts_of_a_gene(gtf: Callable[[str], Path]) -> None:
    features = transcript_features(gtf(FORWARD + mirrored(FORWARD))).set_index("gene_id")
    for gene in ("A", "B"):
        # 5' UTR 10-15 and 25-30; CDS 15-20 and 30-40; 3' UTR 35-60; transcripts 10-60 less exons 10-20 and 25-60.
        assert features.loc[gene].to_dict() == {
            "utr5_length": 10,
            "cds_length": 15,
            "intron_length": 5,
            "utr3_length": 25,
            "orf_exon_density": pytest.approx(2 / 0.015),
        }


def test_gc_of_each_region(gtf: Callable[[str], Path], write_fasta: Callable[..., Path]) -> None:
    bases = ["A"] * 100
    bases[10:15] = "GGGNN"
    bases[30:36] = "CCCCGN"
    genome = Genome(write_fasta({"1": "".join(bases)}))
    features = transcript_features(gtf(FORWARD), genome)
    assert features.loc[0, "utr5_gc"] == pytest.approx(3 / 8)
    assert features.loc[0, "cds_gc"] == pytest.approx(5 / 14)
    assert features.loc[0, "utr3_gc"] == 0


def test_a_region_of_no_length_has_no_gc(gtf: Callable[[str], Path], write_fasta: Callable[..., Path]) -> None:
    text = line("exon", 10, 20, "-", "A", "A1") + line("CDS", 10, 20, "-", "A", "A1")
    features = transcript_features(gtf(text), Genome(write_fasta({"chr1": "ACGT" * 25})))
    assert features.loc[0, ["utr5_length", "utr3_length", "intron_length"]].tolist() == [0, 0, 0]
    assert np.isnan(features.loc[0, ["utr5_gc", "utr3_gc"]].to_numpy(float)).all()
    assert features.loc[0, "cds_gc"] == 0.5


def test_noncoding_transcripts_are_ignored(gtf: Callable[[str], Path]) -> None:
    noise = line("exon", 70, 90, "+", "A", "A3", "lncRNA") + line("exon", 70, 90, "+", "Z", "Z1")
    noise += line("exon", 60, 90, "+", "A", "A4", "nonsense_mediated_decay")
    noise += line("CDS", 60, 90, "+", "A", "A4", "nonsense_mediated_decay")
    plain, noisy = transcript_features(gtf(FORWARD)), transcript_features(gtf(noise + FORWARD))
    assert noisy.to_dict("records") == plain.to_dict("records")


def test_a_pseudoautosomal_gene_is_on_the_first_chromosome(gtf: Callable[[str], Path]) -> None:
    twice = FORWARD + FORWARD.replace("chr1", "chrY")
    assert transcript_features(gtf(twice)).to_dict("records") == transcript_features(gtf(FORWARD)).to_dict("records")


def test_an_annotation_without_coding_transcripts_is_refused(gtf: Callable[[str], Path]) -> None:
    for text in ("", line("exon", 1, 9, "+", "A", "A1")):
        with pytest.raises(InputError, match=r"has no coding transcripts \(CDS lines\). Use a GTF with the complete"):
            transcript_features(gtf(text))


def test_promoter_activity_is_the_geometric_mean_of_two_means(write_bigwig: Callable[..., Path]) -> None:
    sizes = {"chr1": 5_000}
    h3k27ac = open_track(write_bigwig([("chr1", 500, 1_500, 4.0)], sizes, "a.bigWig"), "bigwig")
    dnase = open_track(
        write_bigwig([("chr1", 0, 1_000, 9.0), ("chr1", 1_499, 1_501, 18.0)], sizes, "b.bigWig"), "bigwig"
    )
    activity = promoter_activity(h3k27ac, dnase, "chr1", np.array([1_000, 4_000]))
    assert activity.dtype == np.float32
    np.testing.assert_allclose(activity, [np.sqrt(4 * (4_500 + 18) / 1_000), 0], rtol=1e-6)
    np.testing.assert_allclose(promoter_activity(h3k27ac, dnase, "1", np.array([999]), half=1), [6], rtol=1e-6)


def test_a_negative_promoter_signal_is_refused(write_bigwig: Callable[..., Path]) -> None:
    track = open_track(write_bigwig([("chr1", 500, 1_500, -4.0)], {"chr1": 5_000}), "bigwig")
    with pytest.raises(InputError, match=r"the mean signal over chr1:501-1,500 is negative \(-4\), so the activity"):
        promoter_activity(track, track, "chr1", np.array([1_000]))
