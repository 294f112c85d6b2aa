from __future__ import annotations

import pytest
import yaml

from epigx.dataset.manifest.schema import Manifest, read_manifest
from epigx.errors import ConfigError, InputError

SHEET = """# assembly: toy
# genome: genome.fa
# genes: genes.bed
# split: {valid: [], test: [chr2]}
# signals:
#   h3k27ac: {role: foreground, transform: log1p}
#   hic: {role: background}

cell_type	signals.hic.slack	expression.file	expression.column	signals.h3k27ac	signals.hic.file
A	50	expression.tsv	A_TPM	a.bw	loops.bedpe
B				b.bw	loops.bedpe
"""


def test_yaml_round_trip(genome_files):
    manifest = genome_files.manifest()
    assert Manifest.parse(yaml.safe_load(manifest.dump())) == manifest


def test_paths_are_relative_to_the_manifest(genome_files, monkeypatch, tmp_path):
    path = genome_files.write()
    monkeypatch.chdir(tmp_path)
    manifest = read_manifest(path.relative_to(tmp_path))
    assert manifest.root.is_absolute()
    assert manifest.locate("genome.fa").is_file()


def test_root_is_relative_to_the_manifest(genome_files):
    folder = genome_files.folder / "elsewhere" / "deep"
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(yaml.safe_dump({**genome_files.values, "root": "../.."}))
    assert read_manifest(folder / "manifest.yaml").locate("genome.fa").is_file()


def test_sheet_says_the_same_as_yaml(tmp_path):
    (tmp_path / "manifest.tsv").write_text(SHEET)
    manifest = read_manifest(tmp_path / "manifest.tsv")
    values = {
        "root": tmp_path,
        "assembly": "toy",
        "genome": "genome.fa",
        "genes": "genes.bed",
        "split": {"valid": [], "test": ["chr2"]},
        "signals": {"h3k27ac": {"role": "foreground", "transform": "log1p"}, "hic": {"role": "background"}},
        "cell_types": {
            "A": {
                "signals": {"h3k27ac": "a.bw", "hic": {"file": "loops.bedpe", "slack": 50}},
                "expression": {"file": "expression.tsv", "column": "A_TPM"},
            },
            "B": {"signals": {"h3k27ac": "b.bw", "hic": "loops.bedpe"}},
        },
    }
    assert manifest == Manifest.parse(values)


def test_files_are_listed_once(genome_files):
    genome_files.values["cell_types"]["B"]["expression"] = {"plus": "p.bw", "minus": "m.bw"}
    assert genome_files.manifest().files() == [
        "genome.fa",
        "genes.bed",
        "features.tsv",
        "A.h3k27ac.bigWig",
        "A.dnase.bedGraph",
        "loops.bedpe",
        "expression.tsv",
        "B.h3k27ac.bigWig",
        "B.dnase.bedGraph",
        "p.bw",
        "m.bw",
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("genom", "x.fa", "unknown key 'genom'. Did you mean 'genome'?"),
        ("signals", {}, "signals: Dictionary should have at least 1 item"),
        ("signals", {"a.b": {"role": "foreground"}}, "String should match pattern"),
        ("cell_types", {}, "cell_types: Dictionary should have at least 1 item"),
        ("orient", "gene", "orient: Input should be 'genome' or 'strand'"),
        ("split", {"valid": ["chr1"], "test": ["1"]}, "chromosome chr1 is both in valid and in test"),
    ],
)
def test_values_that_cannot_work(genome_files, key, value, message):
    genome_files.values[key] = value
    path = genome_files.write()
    with pytest.raises(ConfigError) as error:
        read_manifest(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_all_errors_are_reported_with_unknown_keys_first(genome_files):
    genome_files.values["genom"] = genome_files.values.pop("genome")
    genome_files.values["orient"] = "gene"
    del genome_files.values["assembly"]
    genome_files.values["cell_types"]["A"]["signal"] = {}
    path = genome_files.write()
    with pytest.raises(ConfigError) as error:
        read_manifest(path)
    first, *problems = str(error.value).splitlines()
    assert first == f"{path} has 4 errors:"
    assert set(problems[:2]) == {
        "  unknown key 'genom'. Did you mean 'genome'?",
        "  unknown key 'cell_types.A.signal'. Did you mean 'signals'?",
    }
    assert set(problems[2:]) == {
        "  assembly is missing.",
        "  orient: Input should be 'genome' or 'strand' (got 'gene').",
    }


def test_missing_manifest(tmp_path):
    with pytest.raises(InputError, match=r"no\.yaml does not exist\. Give the path of a manifest"):
        read_manifest(tmp_path / "no.yaml")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.yaml", "a: [", "m.yaml is not valid YAML"),
        ("m.yaml", "", "Input should be a valid dictionary"),
        ("m.tsv", "# assembly: x\ncell\tsignals.a\n", "m.tsv has no column 'cell_type'"),
        ("m.tsv", "cell_type\tsignals.a\nK\ta.bw\n", "m.tsv has no `# genome:` line"),
        ("m.tsv", "# assembly: x\ncell_type\nK\nK\n", "m.tsv has two rows for the cell type 'K'"),
    ],
)
def test_manifests_that_are_none(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        read_manifest(tmp_path / name)
    assert message in str(error.value)


def test_a_sheet_as_spreadsheets_save_it(tmp_path):
    (tmp_path / "sheet.tsv").write_text(SHEET)
    (tmp_path / "saved.tsv").write_bytes(SHEET.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_manifest(tmp_path / "saved.tsv") == read_manifest(tmp_path / "sheet.tsv")


def test_names_of_chromosomes_may_be_numbers(genome_files):
    genome_files.values["chromosomes"] = [1, 2]
    genome_files.values["split"] = {"valid": [21], "test": [2, "X"]}
    manifest = read_manifest(genome_files.write())
    assert manifest.chromosomes == ("1", "2")
    assert (manifest.split.valid, manifest.split.test) == (("21",), ("2", "X"))


def test_a_folder_is_no_manifest(tmp_path):
    with pytest.raises(InputError, match=r" is a folder\. Give the path of a manifest"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "some.bed.gz",
            r"features: some\.bed\.gz has regions, not one row of features per gene\. .* `peaks: some\.bed\.gz` there\."
            r" .* `blacklist: some\.bed\.gz` instead\.$",
        ),
        ("f.tsv", r"features: name the columns to read, too: write `features: \{file: f\.tsv, columns: \{cds_length"),
    ],
)
def test_features_that_are_a_path_only(genome_files, file, message):
    genome_files.values["features"] = file
    with pytest.raises(ConfigError, match=message):
        read_manifest(genome_files.write())
