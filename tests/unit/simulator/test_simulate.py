"""The simulator as a whole: same bytes from the same seed, knobs that change what they say, writing at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from epigx.errors import ConfigError, InputError
from epigx.simulator.simulate import Simulation, simulate

SMALL = Simulation(genes=60, chromosomes=("chr1", "chr3", "chr22"), spacing=(6_000, 9_000), cell_types={"a": 0.3})
EXPRESSION_FILES = {"a.cage.plus.bigWig", "a.cage.minus.bigWig", "truth.parquet", "truth.json"}


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


def changed(first: Path, second: Path) -> set[str]:
    one, other = hashes(first), hashes(second)
    assert one.keys() == other.keys()
    return {name for name in one if one[name] != other[name]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(SMALL, tmp_path_factory.mktemp("simulated") / "toy").parent


def test_writes_every_file_of_every_cell_type(tmp_path: Path) -> None:
    manifest = simulate(SMALL.override("cell_types={x: 0, y-2: 1}"), tmp_path / "toy")
    assert manifest == tmp_path / "toy" / "manifest.yaml"
    shared = {"genome.fa", "genes.gtf", "blacklist.bed", "manifest.yaml", "truth.parquet", "truth.json"}
    endings = (
        "h3k27ac.bigWig",
        "dnase.bigWig",
        "dnase.narrowPeak",
        "mcool",
        "cage.plus.bigWig",
        "cage.minus.bigWig",
    )
    assert set(hashes(manifest.parent)) == shared | {f"{cell}.{end}" for cell in ("x", "y-2") for end in endings}


def test_same_settings_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    simulate(SMALL, tmp_path / "again")
    assert changed(folder, tmp_path / "again") == set()


def test_another_seed_changes_all_but_the_manifest(folder: Path, tmp_path: Path) -> None:
    simulate(SMALL.override("seed=1"), tmp_path / "other")
    assert changed(folder, tmp_path / "other") == set(hashes(folder)) - {"manifest.yaml"}


@pytest.mark.parametrize("knob", ["confounding=0", "flip=true", "noise=0.1"])
def test_knobs_of_expression_change_expression_alone(folder: Path, tmp_path: Path, knob: str) -> None:
    simulate(SMALL.override(knob), tmp_path / "other")
    assert changed(folder, tmp_path / "other") == EXPRESSION_FILES


def test_flip_changes_the_test_chromosomes_alone(folder: Path, tmp_path: Path) -> None:
    simulate(SMALL.override("flip=true"), tmp_path / "flipped")
    plain, flipped = (pd.read_parquet(f / "truth.parquet") for f in (folder, tmp_path / "flipped"))
    different = (plain["expression_true"] - flipped["expression_true"]).abs() > 1e-9
    assert set(plain["split"][different]) == {"test"}
    assert different[plain["split"] == "test"].all()
    # Where E is the same, so is its derivative; the coefficient of C has the other sign in E's own equation.
    assert (plain["effect_background"] > 0).all()
    assert (flipped["effect_background"][flipped["split"] == "test"] < 0).all()
    said = json.loads((tmp_path / "flipped" / "truth.json").read_text())["background_effect"]
    assert said == {"train": 0.4, "valid": 0.4, "test": -0.4}


def test_everything_says_that_it_is_simulated(folder: Path) -> None:
    assert json.loads((folder / "truth.json").read_text())["simulated"] is True
    assert (folder / "manifest.yaml").read_text().startswith("# Simulated")
    assert (folder / "genome.fa").read_text().startswith(">chr1 simulated\n")
    gtf = [line.split("\t") for line in (folder / "genes.gtf").read_text().splitlines() if line[0] != "#"]
    assert {fields[1] for fields in gtf} == {"simulated"}
    peaks = pd.read_csv(folder / "a.dnase.narrowPeak", sep="\t", header=None)
    assert peaks[3].str.startswith("simulated_peak_").all()
    assert b"simulated" in (folder / "a.mcool").read_bytes()


def test_settings_are_in_the_truth_and_load_back(folder: Path) -> None:
    said = json.loads((folder / "truth.json").read_text())
    assert Simulation.parse(said["settings"]) == SMALL


def test_an_existing_folder_is_kept_unless_forced(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "notes.txt").write_text("kept")
    with pytest.raises(InputError, match=r"mine already exists.*--force"):
        simulate(SMALL, out)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    assert (out / "notes.txt").read_text() == "kept"
    simulate(SMALL, out, force=True)
    assert changed(folder, out) == set()


def test_a_stop_halfway_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(SMALL, tmp_path / "toy", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    simulate(SMALL, tmp_path / "toy", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(i + 1, calls[-1][1]) for i in range(calls[-1][1])]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"chromosomes": ["chr1", "chr1"]}, r"has a name twice \(chr1, chr1\); name each once"),
        ({"chromosomes": ["chr 1"]}, "chromosomes"),
        ({"spacing": [9000, 8000]}, r"larger to the smaller distance \(9000, 8000\); swap the two"),
        ({"spacing": [1000, 8000]}, "spacing.*2000"),
        ({"genes": 5}, "genes.*20"),
        ({"genes": 20, "chromosomes": [f"chr{i}" for i in range(30)]}, "20 genes are too few for 30 chromosomes"),
        (
            {"flip": True, "chromosomes": ["chr1", "chr2"]},
            r"none of chr22, chrX is among the chromosomes \(chr1, chr2\)",
        ),
        ({"cell_types": {"a b": 0.1}}, "cell_types"),
        ({"cell_types": {"a": 1.5}}, "cell_types.a"),
        ({"cell_types": {}}, "cell_types"),
        ({"confounded": 1}, "unknown key 'confounded'. Did you mean 'confounding'?"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Simulation.parse(values)
