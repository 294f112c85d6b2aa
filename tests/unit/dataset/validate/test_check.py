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
        ("warning", "split", "no gene is in the valid set."),
        ("notice", "genes.bed", "4 windows past a chromosome's end: padded there."),
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
    path = genome_files.folder / "loops.bedpe"
    assert errors == [
        ("error", "loops.bedpe", f"{path} does not exist. Mend the path in the manifest, or fetch the file.")
    ]


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
    message = "the signal 'hic' has no file. Add it, or leave it out of `signals`."
    assert ("error", "A", message) in found(genome_files)


def test_file_without_a_signal(genome_files):
    genome_files.values["cell_types"]["A"]["signals"]["dnas"] = "A.dnase.bedGraph"
    assert ("error", "A", "there is no signal 'dnas' in `signals`. Did you mean 'dnase'?") in found(genome_files)


def test_cell_type_without_a_label(genome_files):
    del genome_files.values["cell_types"]["B"]["expression"]
    message = "has no expression: it can be predicted, not trained on or scored."
    assert ("notice", "B", message) in found(genome_files)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h3k27", "there is no signal 'h3k27'. Did you mean 'h3k27ac'?"),
        ("hic", "the signal 'hic' is no track along the genome. Name one that is."),
    ],
)
def test_promoter_activity_of_what_is_no_track(genome_files, name, message):
    genome_files.values["features"]["promoter_activity"] = {"h3k27ac": name}
    assert ("error", "promoter_activity", message) in found(genome_files)


@pytest.mark.parametrize("window", [0, 1, 201, -2])
def test_window_without_a_middle(genome_files, window):
    with pytest.raises(ConfigError, match=f"A window of {window} bp has no middle"):
        check(genome_files.manifest(), window)


def test_errors_are_refused_with_their_number(genome_files):
    assert refuse_errors(genome_files.manifest(), 200) == check(genome_files.manifest(), 200)
    (genome_files.folder / "loops.bedpe").unlink()
    with pytest.raises(InputError, match=r"^loops\.bedpe: .*does not exist.*fetch the file\.$"):
        assert refuse_errors(genome_files.manifest(), 200) == check(genome_files.manifest(), 200)
    (genome_files.folder / "features.tsv").unlink()
    (genome_files.folder / "expression.tsv").unlink()
    with pytest.raises(InputError, match=r"fetch the file\. With 2 other errors: `epigx check` lists them\.$"):
        refuse_errors(genome_files.manifest(), 200)


def test_real_data_have_one_implausible_feature(shared_data):
    manifest = read_manifest(Path(__file__).parents[3] / "studies/real/manifest.yaml").override(f"root={shared_data}")
    problems = check(manifest, 2000)
    assert not [problem for problem in problems if problem.level == "error"]
    messages = [problem.message for problem in problems]
    negative = "intron_length cannot be -6848 of ENSG00000125863 (1 such value): taken as missing by `epigx build`."
    assert negative in messages
    unlabelled = "1,147 genes have no label in GM12878_CAGE_TPM of expression.tsv (chrX 732, chr22 415)."
    assert unlabelled in messages
