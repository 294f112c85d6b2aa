from __future__ import annotations

from pathlib import Path

import pytest

from epigx.dataset.manifest.schema import read_manifest
from epigx.dataset.validate.check import check, refuse_errors
from epigx.errors import ConfigError, InputError


def found(files, window=200):
    """Return the findings as (level, where, message)."""
    return [tuple(problem) for problem in check(files.manifest(), window)]


def test_good_files_raise_no_error(genome_files):
    genome_files.values["split"] = {"valid": [], "test": ["chr2"]}
    assert found(genome_files) == [
        (
            "warning",
            "split",
            "no gene is in the valid split. List a chromosome of the genes under `split: {valid: […]}`.",
        ),
        (
            "notice",
            "features",
            "the dataset will have 3 features: cds_length, density from features.tsv; "
            "promoter_activity from the signals h3k27ac and dnase.",
        ),
        ("notice", "genes.bed", "4 windows extend past a chromosome's end: padded with N."),
    ]


def test_everything_is_reported_at_once_and_errors_first(genome_files):
    (genome_files.folder / "A.dnase.bedGraph").unlink()
    genome_files.write_bigwig("B.h3k27ac.bigWig", [("chr1", 0, 6000, 0.0), ("chr2", 0, 4000, 0.0)])
    genome_files.values["features"]["columns"]["cds_lenght"] = "none"
    del genome_files.values["cell_types"]["B"]["signals"]["hic"]
    problems = found(genome_files)
    assert {where for level, where, _ in problems if level == "error"} == {
        "A.dnase.bedGraph",
        "B.h3k27ac.bigWig",
        "features.tsv",
        "B",
    }
    levels = [level for level, *_ in problems]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)


def test_a_missing_file_is_reported_once(genome_files):
    (genome_files.folder / "loops.bedpe").unlink()
    errors = [problem for problem in found(genome_files) if problem[0] == "error"]
    remedy = "Fix the path in the manifest (relative to the manifest or its `root`) or download the file."
    assert errors == [("error", "loops.bedpe", f"the file does not exist. {remedy}")]


@pytest.mark.parametrize("name", ["genome.fa", "genes.bed", "features.tsv", "expression.tsv", "A.h3k27ac.bigWig"])
def test_any_file_can_be_missing(genome_files, name):
    (genome_files.folder / name).unlink()
    errors = [problem for problem in found(genome_files) if problem[0] == "error"]
    assert [(where, "does not exist" in message) for _, where, message in errors] == [(name, True)]


def test_a_folder_is_no_file(genome_files):
    (genome_files.folder / "loops.bedpe").unlink()
    (genome_files.folder / "loops.bedpe").mkdir()
    assert "is a folder" in found(genome_files)[0][2]


@pytest.mark.parametrize("name", ["genome.fa", "genes.bed", "features.tsv", "expression.tsv", "A.h3k27ac.bigWig"])
def test_any_file_can_be_damaged(genome_files, name):
    (genome_files.folder / name).write_bytes(b"\x00\xff\xfe nothing")
    errors = [problem for problem in found(genome_files) if problem[0] == "error"]
    assert errors
    assert any(name in where + message for _, where, message in errors)


def test_signal_without_a_file(genome_files):
    del genome_files.values["cell_types"]["A"]["signals"]["hic"]
    message = "the signal 'hic' has no file. Add one, or remove hic from `signals`."
    assert ("error", "A", message) in found(genome_files)


def test_file_without_a_signal(genome_files):
    genome_files.values["cell_types"]["A"]["signals"]["dnas"] = "A.dnase.bedGraph"
    assert ("error", "A", "there is no signal 'dnas' in `signals`. Did you mean 'dnase'?") in found(genome_files)


def test_cell_type_without_a_label(genome_files):
    del genome_files.values["cell_types"]["B"]["expression"]
    message = "it has no `expression`, so it can only be predicted."
    assert ("notice", "B", message) in found(genome_files)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h3k27", "there is no signal 'h3k27' in `signals`. Did you mean 'h3k27ac'?"),
        ("hic", "the signal 'hic' is a contact map, not a genomic track. Use a track such as a bigWig."),
    ],
)
def test_promoter_activity_needs_tracks(genome_files, name, message):
    genome_files.values["features"]["promoter_activity"] = {"h3k27ac": name}
    assert ("error", "promoter_activity", message) in found(genome_files)


@pytest.mark.parametrize("window", [0, 1, 201, -2])
def test_window_without_a_middle(genome_files, window):
    with pytest.raises(ConfigError, match=f"A window of {window} bp has no middle"):
        check(genome_files.manifest(), window)


def test_errors_are_refused_with_their_number(genome_files):
    assert refuse_errors(genome_files.manifest(), 200) == check(genome_files.manifest(), 200)
    (genome_files.folder / "loops.bedpe").unlink()
    with pytest.raises(InputError, match=r"^loops\.bedpe: .*does not exist.*download the file\.$"):
        assert refuse_errors(genome_files.manifest(), 200) == check(genome_files.manifest(), 200)
    (genome_files.folder / "features.tsv").unlink()
    (genome_files.folder / "expression.tsv").unlink()
    with pytest.raises(InputError, match=r"download the file\. 2 more errors found: `epigx check` lists all\.$"):
        refuse_errors(genome_files.manifest(), 200)


def test_real_data_have_one_implausible_feature(shared_data):
    manifest = read_manifest(Path(__file__).parents[4] / "studies/real/manifest.yaml").override(f"root={shared_data}")
    problems = check(manifest, 2000)
    assert not [problem for problem in problems if problem.level == "error"]
    messages = [problem.message for problem in problems]
    negative = (
        "intron_length cannot be -6848 of ENSG00000125863 (1 such value): `epigx build` treats it as missing. "
        "Correct it, or set `minimum` and `maximum` of intron_length in the manifest."
    )
    assert negative in messages
    unlabelled = (
        "1,147 genes have no label in GM12878_CAGE_TPM of expression.tsv (chrX 732, chr22 415): left out of training "
        "and evaluation. Add the labels if you have them."
    )
    assert unlabelled in messages


def test_findings_name_files_as_the_manifest_does(genome_files):
    genome_files.values["features"]["columns"]["cds_lenght"] = "none"
    genome_files.values["cell_types"]["A"]["expression"]["column"] = "A_TMP"
    (genome_files.folder / "loops.bedpe").unlink()
    problems = found(genome_files)
    assert ("error", "features.tsv", "has no column 'cds_lenght'. Did you mean 'cds_length'?") in problems
    assert ("error", "A", "expression.tsv has no column 'A_TMP'. Did you mean 'A_TPM'?") in problems
    assert not [message for *_, message in problems if str(genome_files.folder) in message]


@pytest.mark.parametrize("features", [None, {}])
@pytest.mark.parametrize("genes", ["genes.bed", "genes.gtf"])
def test_no_features_is_a_warning_that_says_how_to_add_some(genome_files, features, genes):
    genome_files.values |= {"features": features, "genes": genes}
    message = next(
        message for level, where, message in found(genome_files) if (level, where) == ("warning", "features")
    )
    assert message.startswith("the dataset will have 0 features per gene.")
    assert ("genes.bed gives the genes only." in message) == (genes == "genes.bed")
    file = "genes.gtf" if genes == "genes.gtf" else "TABLE.tsv"
    assert f"`features: {{file: {file}, columns: {{cds_length: log10zscore}}}}` in the manifest" in message


def test_the_window_is_checked_as_it_is_read(genome_files):
    genome_files.write_genes([("chr1", 2000, "+"), ("chr1", 2500, "+"), ("chr2", 3899, "-"), ("chr2", 1500, "-")])
    rows = [("chr1", 0, 6000, 2.0), ("chr2", 0, 3999, 2.0), ("chr2", 3999, 4000, 1e5)]
    genome_files.write_bigwig("A.h3k27ac.bigWig", rows)  # the chromosome's last base is in the strand's window only
    too_large = (
        "error",
        "A.h3k27ac.bigWig",
        "it reaches 100000, but float16 stores at most 65504. Set `dtype: float32` in the manifest.",
    )
    assert too_large not in found(genome_files)
    genome_files.values["orient"] = "strand"
    assert too_large in found(genome_files)


def test_a_minus_strand_window_past_the_end(genome_files):
    genome_files.write_genes([("chr1", 2000, "+"), ("chr1", 2500, "+"), ("chr2", 3900, "-"), ("chr2", 1500, "-")])
    cut = ("notice", "genes.bed", "1 window extends past a chromosome's end: padded with N.")
    assert cut not in found(genome_files)
    genome_files.values["orient"] = "strand"
    assert cut in found(genome_files)
