"""Bad input ends with exit 2 and one clear sentence, and nothing that was there before is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pybigtools
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file

WINDOW = 128
BUILD = ("--window", WINDOW, "-j", 1, "-o")


def _write_bigwig(path, sizes, entries):
    pybigtools.open(str(path), "w").write(sizes, entries)
    return str(path)


def _sizes(genome):
    return {
        line.split("\t")[0]: int(line.split("\t")[1]) for line in (genome / "genome.fa.fai").read_text().splitlines()
    }


def _dnase(values, file):
    values["cell_types"]["simA"]["signals"]["dnase"] = str(file)


def _gene_table(tmp_path, rows):
    table = tmp_path / "genes.tsv"
    table.write_text("gene_id\tchrom\ttss\tstrand\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    return str(table)


# --- files of the manifest --------------------------------------------------------------------------------------------


def test_missing_manifest(refused, tmp_path):
    for command in ("check", "build"):
        more = ("-o", tmp_path / "data") if command == "build" else ()
        said = refused(command, tmp_path / "nowhere.yaml", *more)
        assert "nowhere.yaml does not exist" in said


def test_missing_file(refused, manifest, tmp_path):
    path = manifest(lambda values: _dnase(values, "nowhere.bigWig"))
    said = refused("build", path, *BUILD, tmp_path / "data")
    assert "nowhere.bigWig" in said
    assert "does not exist" in said


def test_wrong_chromosome_names(refused, manifest, genome, tmp_path):
    sizes = {f"scaffold_{name}": size for name, size in _sizes(genome).items()}
    track = _write_bigwig(tmp_path / "scaffolds.bigWig", sizes, [(next(iter(sizes)), 0, 100, 1.0)])
    said = refused("build", manifest(lambda values: _dnase(values, track)), *BUILD, tmp_path / "data")
    assert "scaffolds.bigWig: it has none of the genes' chromosomes chr1, " in said
    assert "it has scaffold_chr1" in said


def test_chromosomes_without_their_prefix_are_found(epigx, manifest, genome, tmp_path):
    sizes = {name.removeprefix("chr"): size for name, size in _sizes(genome).items()}
    entries = [(name, 0, size, 1.5) for name, size in sorted(sizes.items())]
    track = _write_bigwig(tmp_path / "bare.bigWig", dict(sorted(sizes.items())), entries)
    ended = epigx("check", manifest(lambda values: _dnase(values, track)), "--window", WINDOW)
    assert ended.status == 0
    assert "notice: " in ended.out
    assert "chr1 is called 1" in ended.out


def test_truncated_bigwig(refused, manifest, genome, tmp_path):
    whole = (genome / "simA.dnase.bigWig").read_bytes()
    for length in (len(whole) // 2, 10, 0):
        (tmp_path / "cut.bigWig").write_bytes(whole[:length])
        path = manifest(lambda values: _dnase(values, tmp_path / "cut.bigWig"))
        said = refused("build", path, *BUILD, tmp_path / "data")
        assert "cut.bigWig" in said


def test_something_else_than_a_bigwig(refused, manifest, genome, tmp_path):
    shutil.copy(genome / "genes.gtf", tmp_path / "annotation.bigWig")
    path = manifest(lambda values: _dnase(values, tmp_path / "annotation.bigWig"))
    assert "annotation.bigWig" in refused("build", path, *BUILD, tmp_path / "data")


def test_bigwig_of_another_build(refused, manifest, genome, tmp_path):
    sizes = {name: size + 1_000 for name, size in sorted(_sizes(genome).items())}
    track = _write_bigwig(tmp_path / "other.bigWig", sizes, [(name, 0, 900, 1.0) for name in sizes])
    said = refused("build", manifest(lambda values: _dnase(values, track)), *BUILD, tmp_path / "data")
    assert "other.bigWig: its chr" in said
    assert "It is of another assembly" in said


def test_nan_only_track(refused, manifest, genome, tmp_path):
    sizes = {**_sizes(genome), "chrUn": 5_000}
    track = _write_bigwig(tmp_path / "empty.bigWig", dict(sorted(sizes.items())), [("chrUn", 0, 100, 1.0)])
    said = refused("build", manifest(lambda values: _dnase(values, track)), *BUILD, tmp_path / "data")
    assert "empty.bigWig" in said

    names = sorted(_sizes(genome))
    nan = _write_bigwig(
        tmp_path / "nan.bigWig", {n: _sizes(genome)[n] for n in names}, [(n, 0, 999, np.nan) for n in names]
    )
    said = refused("build", manifest(lambda values: _dnase(values, nan)), *BUILD, tmp_path / "data")
    assert "nan.bigWig: it has no value on the genes' chromosomes (only NaN)." in said


def test_gene_outside_the_chromosome(refused, manifest, genome, tmp_path):
    beyond = _sizes(genome)["chr1"] + 5
    table = _gene_table(tmp_path, [("GENE1", "chr1", 20_000, "+"), ("GENE2", "chr1", beyond, "-")])
    said = refused("build", manifest(lambda values: values.update(genes=table)), *BUILD, tmp_path / "data")
    assert f"the TSS of GENE2 at chr1:{beyond + 1:,} lies past the chromosome's end" in said


def test_duplicate_gene_ids(refused, manifest, tmp_path):
    table = _gene_table(tmp_path, [("GENE1", "chr1", 20_000, "+"), ("GENE1", "chr1", 30_000, "-")])
    said = refused("build", manifest(lambda values: values.update(genes=table)), *BUILD, tmp_path / "data")
    assert "GENE1" in said
    assert "genes.tsv" in said


def test_signal_missing_for_a_cell_type(refused, manifest, tmp_path):
    path = manifest(lambda values: values["cell_types"]["simB"]["signals"].pop("hic"))
    said = refused("build", path, *BUILD, tmp_path / "data")
    assert said.startswith("simB: the signal 'hic' has no file.")


def test_labels_missing(refused, epigx, manifest, tmp_path):
    table = tmp_path / "expression.tsv"
    table.write_text("gene_id\trna\nsomebody_else\t3\n")

    def label(values):
        values["cell_types"]["simA"]["expression"] = {"file": str(table), "column": "rna"}

    said = refused("build", manifest(label), *BUILD, tmp_path / "data")
    assert said.startswith("simA: no gene has a label in rna of ")

    path = manifest(lambda values: values["cell_types"]["simA"].pop("expression"))
    assert epigx("build", path, *BUILD, tmp_path / "data").status == 0
    common = ("infer", "--data", tmp_path / "data", "--steps", 4)
    said = refused("train", *common, "--cell-type", "simA", "-o", tmp_path / "run")
    assert "no gene of the training chromosomes has a label in simA" in said


def test_column_that_a_table_does_not_have(refused, manifest, tmp_path):
    table = tmp_path / "expression.tsv"
    table.write_text("gene_id\tK562_rna\nG1\t3\n")

    def label(values):
        values["cell_types"]["simA"]["expression"] = {"file": str(table), "column": "K562_rns"}

    said = refused("build", manifest(label), *BUILD, tmp_path / "data")
    assert "'K562_rns'" in said
    assert "Did you mean 'K562_rna'?" in said


# --- configuration ----------------------------------------------------------------------------------------------------


def test_unknown_key_of_a_manifest(refused, manifest, tmp_path):
    path = manifest(lambda values: values.update(genom=values.pop("genome")))
    said = refused("check", path)
    assert "unknown key 'genom'. Did you mean 'genome'?" in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("objective.alhpa=0.1", "unknown key 'alhpa'. Did you mean 'alpha'?"),
        ("objektive.alpha=0.1", "unknown key 'objektive'. Did you mean 'objective'?"),
        ("objective.alpha=much", "objective.alpha"),
        ("objective.alpha", "is not of the form key=value"),
        ("data.signals=[dnas]", "Did you mean 'dnase'?"),
        ("data.split=fold-0", "There is no fold 0. Choose one from 1 to 12"),
        ("data.split=fold-3", "has no gene on chr13, chr4, chr14, which data.split holds out."),
        ("data.split.valid=[chr1]", "data.split is not set. Set all of it at once: --set 'data.split={valid: …, …}'."),
        ("training.seed.x=1", "there is nothing below 'training.seed'"),
    ],
)
def test_invalid_setting(refused, dataset, tmp_path, setting, said):
    words = ("train", "infer", "--data", dataset, "--cell-type", "simA", "--set", setting, "-o", tmp_path / "run")
    assert said in refused(*words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["infre"], "There is no recipe 'infre'. Did you mean 'infer'?"),
        (["infer"], "The recipe 'infer' needs a dataset. Add --data FOLDER"),
        (["infer", "--data", "DATA"], "has several cell types (simA, simB). Choose with --cell-type."),
        (["infer", "--data", "DATA", "--cell-type", "simC"], "has no cell type 'simC'."),
        (["infer", "--data", "DATA", "--cell-type", "simA", "--window", "4096"], "4,096 bp are asked for."),
        (["infer", "--data", "DATA", "--cell-type", "simA", "--steps", "0"], "--steps 0: training.steps: "),
        (
            ["infer", "--data", "DATA", "--cell-type", "simA", "--window", "62"],
            "at least 64 bp, but this one has 62 bp.",
        ),
        (["infer", "--data", "DATA", "--cell-type", "simA", "--window", "0"], "window: Input should be greater than"),
        (
            ["infer", "--data", "DATA", "--cell-type", "simA", "--fold", "-1"],
            "There is no fold -1. Choose one from 1 to",
        ),
        (["infer", "--data", "DATA", "--cell-type", "simA", "--max-time", "soon"], "'soon' is not a duration."),
        (["nowhere.yaml"], "nowhere.yaml does not exist."),
        (["infer", "--data", "nowhere", "--cell-type", "simA"], "nowhere is not a dataset"),
    ],
)
def test_wrong_arguments_of_train(refused, dataset, tmp_path, words, said):
    words = [str(dataset) if word == "DATA" else word for word in words]
    assert said in refused("train", *words, "-o", tmp_path / "run")


@pytest.mark.parametrize("words", [("--set", "model.resolution=7"), ("--window", "4096"), ("--fold", "3")])
def test_training_is_announced_only_if_nothing_is_wrong(epigx, dataset, tmp_path, words):
    ended = epigx("train", "infer", "--data", dataset, "--cell-type", "simA", *words, "-o", tmp_path / "run")
    assert ended.status == 2
    assert "Training " not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["evaluate", "RUN", "--drop", "dnas"],
            "The run reads no signal 'dnas' that could be dropped. Did you mean 'dnase'?",
        ),
        (["evaluate", "RUN", "--split", "train"], "was trained on genes of chr1"),
        (["evaluate", "RUN", "--cell-type", "simC"], "has no cell type 'simC'."),
        (["evaluate", "RUN", "--window", "4096"], "4,096 bp are asked for."),
        (["evaluate", "nowhere"], "nowhere is not a run"),
        (["evaluate", "RUN", "--data", "nowhere"], "nowhere is not a dataset"),
        (["predict", "RUN", "nowhere"], "nowhere is not a run"),
        (["predict", "RUN", "-o", "table.xlsx"], "table.xlsx has an unknown suffix. Use one of "),
        (["report", "RUN", "RUN"], "A run is named twice."),
        (["report", "RUN", "--bootstrap", "0"], "0 resamples give none."),
        (["info", "nowhere"], "nowhere is neither a dataset nor a run."),
        (["import", "prism", "nowhere.ckpt", "-o", "prism"], "nowhere.ckpt"),
    ],
)
def test_wrong_arguments_of_other_commands(refused, run, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    assert said in refused(*(run if word == "RUN" else word for word in words))


# --- output -----------------------------------------------------------------------------------------------------------


def _outputs(genome, dataset, run):
    """Return every command that writes, by its name, without its output."""
    return {
        "simulate": ("simulate", "--genes", 40, "-o"),
        "build": ("build", genome / "manifest.yaml", *BUILD),
        "train": ("train", "infer", "--data", dataset, "--cell-type", "simA", "--steps", 4, "-o"),
        "predict": ("predict", run, "-o"),
        "report": ("report", run, "-o"),
        "demo": ("demo", "--quick", "-o"),
    }


NAMES = {"predict": "table.tsv", "report": "page.html"}
WRITERS = ("simulate", "build", "train", "predict", "report", "demo")


@pytest.mark.parametrize("command", WRITERS)
def test_existing_output_is_not_replaced_without_force(refused, genome, dataset, run, tmp_path, command):
    out = tmp_path / NAMES.get(command, "folder")
    if command in NAMES:
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    said = refused(*_outputs(genome, dataset, run)[command], out)
    assert f"{out} already exists." in said
    assert "--force" in said


@pytest.mark.parametrize("command", ["build", "train", "demo"])
def test_force_replaces_only_what_the_command_makes(refused, genome, dataset, run, tmp_path, command):
    out = tmp_path / "folder"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    refused(*_outputs(genome, dataset, run)[command], out, "--force")


@pytest.mark.parametrize("command", WRITERS)
def test_unwritable_output(refused, genome, dataset, run, tmp_path, command):
    file = tmp_path / "file"
    file.write_text("a file is no folder")
    said = refused(*_outputs(genome, dataset, run)[command], file / NAMES.get(command, "out"))
    assert "cannot be written" in said


def test_disk_full_while_building_keeps_the_old_dataset_and_goes_on_later(
    refused, epigx, genome, dataset, tmp_path, monkeypatch
):
    from epigx.dataset.build import tasks

    out = tmp_path / "data"
    shutil.copytree(dataset, out)
    build = ("build", genome / "manifest.yaml", "--window", 64, "-j", 1, "-o", out, "--force")
    write, calls = tasks.SignalTask.run, []

    def full(task, *arguments):
        calls.append(task)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(task, *arguments)

    before = {p.name: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with monkeypatch.context() as patch:
        patch.setattr(tasks.SignalTask, "run", full)
        ended = epigx(*build)
    assert ended.status == 2
    (sentence,) = ended.errors
    assert "cannot be written: No space left on device." in sentence
    assert {p.name: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
    assert epigx(*build).status == 0
    assert json.loads(epigx("info", out, "--json", "--verify").out)["window"] == 64


def test_disk_full_while_writing_a_table_keeps_the_old_one(refused, run, tmp_path, monkeypatch):
    import epigx.system.atomic

    out = tmp_path / "table.tsv"
    out.write_text("mine")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(epigx.system.atomic.os, "fsync", full)
    assert "No space left on device" in refused("predict", run, "-o", out, "--force")
    assert "No space left on device" in refused("report", run, "-o", out, "--force", "--bootstrap", 5)


# --- damaged folders --------------------------------------------------------------------------------------------------


@pytest.fixture
def broken(dataset, tmp_path):
    """A copy of the dataset, to be damaged."""
    return Path(shutil.copytree(dataset, tmp_path / "data"))


@pytest.mark.parametrize("name", ["sequence.npy", "signals/simA.npy", "genes.parquet"])
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_corrupt_dataset(refused, broken, run, tmp_path, name, damage):
    if damage == "missing":
        (broken / name).unlink()
    else:
        os.truncate(broken / name, (broken / name).stat().st_size // 2)
    for words in (
        ("info", broken),
        ("train", "infer", "--data", broken, "--cell-type", "simA", "-o", tmp_path / "run"),
        ("predict", run, "--data", broken),
    ):
        assert name in refused(*words)


def test_dataset_whose_description_is_damaged(refused, broken):
    (broken / "dataset.json").write_text('{"format_version": 1')
    assert "dataset.json cannot be read" in refused("info", broken)
    (broken / "dataset.json").write_text('{"format_version": 99}')
    assert "has format 99" in refused("info", broken)


def test_dataset_with_a_changed_byte_is_found_when_asked(refused, epigx, broken):
    with (broken / "signals" / "simA.npy").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    assert epigx("info", broken).status == 0
    assert "its checksum differs from the one in dataset.json" in refused("info", broken, "--verify")


@pytest.fixture
def broken_run(run, tmp_path):
    """A copy of the run, to be damaged."""
    return Path(shutil.copytree(run, tmp_path / "run"))


@pytest.mark.parametrize(
    "name", ["config.yaml", "inputs.yaml", "model/weights.safetensors", "metrics.json", "provenance.json"]
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_corrupt_run(refused, broken_run, tmp_path, name, damage):
    if damage == "missing":
        (broken_run / name).unlink()
    else:
        text = (broken_run / name).read_bytes()
        # Cut in the middle of a line, so that what is left of a YAML file is not YAML either.
        (broken_run / name).write_bytes(text[: len(text) // 2] + b"\n{[")
    for words in (("evaluate", broken_run), ("report", broken_run, "-o", tmp_path / "page.html")):
        assert str(broken_run) in refused(*words)


def test_weights_of_another_model(refused, broken_run, plain):
    shutil.copy(plain / "model/weights.safetensors", broken_run / "model/weights.safetensors")
    assert "weights.safetensors was changed since it was written" in refused("evaluate", broken_run)
    weights = load_file(broken_run.parent / "run" / "model/weights.safetensors")
    assert weights  # the file itself is whole


def test_weights_of_another_size(refused, broken_run):
    path = broken_run / "model/weights.safetensors"
    weights = load_file(path)
    name = next(name for name, tensor in weights.items() if tensor.ndim == 2)
    save_file({**weights, name: torch.zeros(3, 5)}, path)
    said = refused("evaluate", broken_run)
    assert "weights.safetensors was changed since it was written" in said


def test_run_resumed_with_another_configuration(refused, epigx, dataset, broken_run):
    words = ("train", "infer", "--data", dataset, "--cell-type", "simA", "--steps", 6, "--resume", "-o", broken_run)
    said = refused(*words, "--set", "objective.alpha=0.5")
    assert "was started with another configuration" in said


def test_checkpoint_of_another_model(refused, run, tmp_path):
    torch.save({"state_dict": {"model.other.weight": torch.zeros(3)}}, tmp_path / "other.ckpt")
    said = refused("import", "prism", tmp_path / "other.ckpt", "-o", tmp_path / "prism")
    assert "other.ckpt is not a Prism checkpoint" in said
    said = refused("import", "prism", run / "model/weights.safetensors", "-o", tmp_path / "prism")
    assert "model/weights.safetensors" in said
    (tmp_path / "noise.ckpt").write_bytes(np.random.default_rng(0).bytes(1000))
    assert "noise.ckpt" in refused("import", "prism", tmp_path / "noise.ckpt", "-o", tmp_path / "prism")


def test_run_instead_of_a_dataset(refused, run, dataset, tmp_path):
    said = refused("train", "infer", "--data", run, "--cell-type", "simA", "-o", tmp_path / "again")
    assert "is not a dataset" in said
    assert "is not a run" in refused("evaluate", dataset)


def test_manifest_that_is_no_yaml(refused, tmp_path):
    (tmp_path / "manifest.yaml").write_text("genome: [unclosed")
    assert "is not valid YAML" in refused("check", tmp_path / "manifest.yaml")
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(["a", "list"]))
    assert "manifest.yaml" in refused("check", tmp_path / "manifest.yaml")


def test_the_error_of_an_option_names_it_as_it_was_typed(refused, tmp_path):
    assert refused("simulate", "--genes", 0, "-o", tmp_path / "raw").startswith("--genes 0: genes: ")
    assert refused("simulate", "--set", "genes=0", "-o", tmp_path / "raw").startswith("--set genes=0: genes: ")
