"""`epigx check` and `epigx build` as a user calls them: exit codes, one sentence for an error, and kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from epigx.cli import main
from epigx.dataset.store import open_dataset

WINDOW = 200


def _call(*arguments):
    """Return the exit status of the program."""
    return main([str(argument) for argument in arguments])


def _bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_build_writes_a_dataset_and_says_where(genome_files, tmp_path, capsys):
    assert _call("build", genome_files.write(), "--window", WINDOW, "-o", tmp_path / "out") == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert (len(dataset), dataset.window) == (8, WINDOW)


def test_check_lists_everything(genome_files, capsys):
    assert _call("check", genome_files.write(), "--window", WINDOW) == 0
    assert "warning: split: no gene is in the valid split. " in capsys.readouterr().out
    (genome_files.folder / "loops.bedpe").unlink()
    (genome_files.folder / "features.tsv").unlink()
    assert _call("check", genome_files.write(), "--window", WINDOW) == 2
    listed = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("error: ") for line in listed) == 2


def _missing_file(files):
    (files.folder / "A.dnase.bedGraph").unlink()


def _wrong_names(files):
    files.write_bigwig("A.h3k27ac.bigWig", [("one", 0, 50, 1.0)], {"one": 6000})


def _truncated(files):
    content = (files.folder / "A.h3k27ac.bigWig").read_bytes()
    (files.folder / "A.h3k27ac.bigWig").write_bytes(content[: len(content) // 2])


def _other_build(files):
    files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 0, 50, 1.0)], {"chr1": 5000, "chr2": 4000})


def _nan_only(files):
    rows = [(chrom, 0, size, float("nan")) for chrom, size in files.sizes.items()]
    files.write_bigwig("A.h3k27ac.bigWig", rows)


def _gene_outside(files):
    files.write_genes([*files.places[:-1], ("chr1", 6000, "+")])


def _duplicate_ids(files):
    files.write_genes(files.places, ["g0"] * 8)


def _signal_missing(files):
    del files.values["cell_types"]["A"]["signals"]["hic"]


def _labels_missing(files):
    files.write_table("expression.tsv", {"A_TPM": [""] * 8, "B_TPM": range(8)})


def _no_label_column(files):
    files.values["cell_types"]["A"]["expression"]["column"] = "A_TMP"


def _unknown_key(files):
    files.values["genom"] = "genome.fa"


BAD = {
    _missing_file: "the file does not exist. Fix the path in the manifest",
    _wrong_names: "it has none of the genes' chromosomes",
    _truncated: "A.h3k27ac.bigWig",
    _other_build: "It is of another assembly",
    _nan_only: "no value on the genes' chromosomes (only NaN)",
    _gene_outside: "lies past the chromosome's end",
    _duplicate_ids: "gene 'g0' is listed twice",
    _signal_missing: "the signal 'hic' has no file",
    _labels_missing: "no gene has a label in A_TPM",
    _no_label_column: "Did you mean 'A_TPM'?",
    _unknown_key: "unknown key 'genom'. Did you mean 'genome'?",
}


@pytest.mark.parametrize("spoil", BAD, ids=lambda spoil: spoil.__name__.strip("_"))
def test_bad_input_ends_with_a_sentence(genome_files, tmp_path, capsys, spoil):
    spoil(genome_files)
    assert _call("build", genome_files.write(), "--window", WINDOW, "-o", tmp_path / "out") == 2
    said = capsys.readouterr()
    assert said.out == ""
    errors = [line for line in said.err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert BAD[spoil] in errors[0]
    assert "Traceback" not in said.err
    assert not list(tmp_path.glob("*out*"))


def test_existing_output_needs_force(genome_files, tmp_path, capsys):
    manifest = genome_files.write()
    assert _call("build", manifest, "--window", WINDOW, "-o", tmp_path / "out") == 0
    before = _bytes(tmp_path / "out")
    assert _call("build", manifest, "--window", 100, "-o", tmp_path / "out") == 2
    assert "already exists" in capsys.readouterr().err
    assert _bytes(tmp_path / "out") == before
    assert _call("build", manifest, "--window", 100, "-o", tmp_path / "out", "--force") == 0
    assert open_dataset(tmp_path / "out").window == 100


def test_unwritable_output(genome_files, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert _call("build", genome_files.write(), "--window", WINDOW, "-o", tmp_path / "file" / "out") == 2
    assert "cannot be written: a folder of its path is a file" in capsys.readouterr().err


def _children(pid):
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the processes in /proc")
def test_killed_at_any_moment_it_leaves_nothing_or_a_whole_dataset(genome_files, tmp_path):
    out, work = tmp_path / "out", tmp_path / ".out.parts"
    command = [sys.executable, "-m", "epigx", "build", genome_files.write(), "-o", out, "--jobs", "2"]
    command = [*map(str, command), "--window", str(WINDOW)]
    for finished in (0, 3, 9):  # kill once that many tasks are done
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while process.poll() is None and not (
            (work / "key").exists() and len(list((work / "done").glob("*.json"))) >= finished
        ):
            time.sleep(0.002)
        children = _children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode in (0, -signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(map(_runs, children)) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not any(map(_runs, children))
        assert not out.exists() or open_dataset(out).verify() is None
    if not out.exists():
        assert work.exists()
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    open_dataset(out).verify()
    assert _call("build", genome_files.write(), "--window", WINDOW, "-o", tmp_path / "other") == 0
    assert _bytes(out) == _bytes(tmp_path / "other")
    assert not list(tmp_path.glob(".*"))


def test_interrupted_it_ends_with_130_and_goes_on(genome_files, tmp_path):
    out, done = tmp_path / "out", tmp_path / ".out.parts" / "done"
    command = [sys.executable, "-m", "epigx", "build", str(genome_files.write()), "-o", str(out), "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--window", str(WINDOW)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while process.poll() is None and not list(done.glob("*.json")):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to every process of the group
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130)
    assert "Traceback" not in said
    assert process.returncode == 0 or "To continue where it stopped, run the same command again." in said
    assert out.exists() == (process.returncode == 0)


def test_real_manifest(shared_data, tmp_path):
    values = yaml.safe_load((Path(__file__).parents[2] / "studies/real/manifest.yaml").read_text())
    values["chromosomes"] = ["chr21", "chr22"]
    values["root"] = str(shared_data)
    del values["cell_types"]["GM12878"]["expression"]
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    assert _call("build", tmp_path / "manifest.yaml", "-o", tmp_path / "out") == 0
    dataset = open_dataset(tmp_path / "out")
    listed = (shared_data / "tss.bed").read_text().splitlines()
    assert len(dataset) == sum(line.split("\t")[0] in ("chr21", "chr22") for line in listed)
    # Those who made the data found 0.83 (H3K27ac) and 0.70 (DNase) over all chromosomes.
    means = np.log10(1 + dataset.signal_values("K562").mean(axis=1, dtype=np.float32))
    label = dataset.expression("K562")
    assert np.corrcoef(means[:, 0], label)[0, 1] > 0.75
    assert np.corrcoef(means[:, 1], label)[0, 1] > 0.6
