from __future__ import annotations

import errno
import os
import resource
import shutil

import numpy as np
import pandas as pd
import pytest

from epigx.dataset.build import tasks
from epigx.dataset.build.build import build
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, InputError, RunError
from epigx.genome.sequence import Genome
from epigx.genome.tracks.tracks import open_track
from epigx.system.locks import locked

WINDOW = 200


def _bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _nothing_left(out):
    return not out.exists() and not list(out.parent.glob(f".{out.name}*"))


def test_the_folder_holds_what_the_files_say(genome_files, tmp_path):
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert dataset.genes["gene_id"].tolist() == ["g2", "g3", "g4", "g5", "g6", "g1", "g0", "g7"]
    genome = Genome(genome_files.folder / "genome.fa")
    track = open_track(genome_files.folder / "A.h3k27ac.bigWig", "bigwig")
    for row, gene in dataset.genes.iterrows():
        start = np.array([gene["tss"] - WINDOW // 2])
        np.testing.assert_array_equal(dataset.sequence[row], genome.windows(gene["chrom"], start, WINDOW)[0])
        values = np.nan_to_num(track.windows(gene["chrom"], start, WINDOW)[0])
        np.testing.assert_array_equal(dataset.signal_values("A")[row, :, 0], values.astype(np.float16))
    table = pd.read_csv(genome_files.folder / "expression.tsv", sep="\t", index_col="gene_id")
    expected = np.log10(1 + table["B_TPM"][dataset.genes["gene_id"]].to_numpy())
    np.testing.assert_allclose(dataset.expression("B"), expected, rtol=1e-6)
    features = pd.read_csv(genome_files.folder / "features.tsv", sep="\t", index_col="gene_id")
    np.testing.assert_array_equal(
        dataset.feature_values("A")[:, :2], features.loc[dataset.genes["gene_id"], ["cds_length", "density"]]
    )
    assert (dataset.feature_values("A")[:, 2] != dataset.feature_values("B")[:, 2]).any()
    assert dataset.genes["dna_coverage"].iloc[0] == 0.5


def test_the_columns_of_the_table(genome_files, tmp_path):
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert list(dataset.genes.columns) == [
        *("gene_id", "symbol", "chrom", "tss", "strand", "dna_coverage", "cds_length", "density"),
        *("promoter_activity:A", "promoter_activity:B", "expression:A", "expression:B"),
    ]


def test_what_the_json_says(genome_files, tmp_path):
    about = build(genome_files.manifest(), WINDOW, tmp_path / "out").about
    assert about.cell_types == ("A", "B")
    assert [(s.name, s.role, s.transform) for s in about.signals] == [
        ("h3k27ac", "foreground", "log1p"),
        ("dnase", "background", "asinh"),
        ("hic", "background", "none"),
    ]
    assert [(f.name, f.transform, f.per_cell_type) for f in about.features] == [
        ("cds_length", "log10zscore", False),
        ("density", "zscore", False),
        ("promoter_activity", "none", True),
    ]
    assert list(about.sources) == genome_files.manifest().files()
    assert set(about.files) == {"sequence.npy", "signals/A.npy", "signals/B.npy", "genes.parquet"}
    assert str(genome_files.folder) not in (tmp_path / "out" / "dataset.json").read_text()


def test_genes_without_a_label(genome_files, tmp_path):
    del genome_files.values["cell_types"]["B"]["expression"]
    genome_files.write_table("expression.tsv", {"A_TPM": ["", *"1234567"]})
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert np.isnan(dataset.expression("B")).all()
    assert dataset.genes["gene_id"][np.isnan(dataset.expression("A"))].tolist() == ["g0"]


def test_without_features(genome_files, tmp_path):
    del genome_files.values["features"]
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert dataset.features == ()
    assert dataset.feature_values("A").shape == (8, 0)


def test_minus_strand_genes_can_be_turned(genome_files, tmp_path):
    plain = build(genome_files.manifest(), WINDOW, tmp_path / "plain")
    genome_files.values["orient"] = "strand"
    turned = build(genome_files.manifest(), WINDOW, tmp_path / "turned")
    minus = (plain.genes["strand"] == "-").to_numpy()
    np.testing.assert_array_equal(turned.sequence[~minus], plain.sequence[~minus])
    np.testing.assert_array_equal(turned.signal_values("A")[~minus], plain.signal_values("A")[~minus])
    complement = np.array([3, 2, 1, 0, 4])
    # The TSS stays at index WINDOW // 2, so what was at index i is now at WINDOW - i.
    back = plain.sequence[minus][:, 1:][:, ::-1]
    np.testing.assert_array_equal(turned.sequence[minus][:, 1:], complement[back])
    np.testing.assert_array_equal(
        turned.signal_values("A")[minus][:, 1:], plain.signal_values("A")[minus][:, 1:][:, ::-1]
    )
    middle = WINDOW // 2
    np.testing.assert_array_equal(turned.sequence[minus][:, middle], complement[plain.sequence[minus][:, middle]])


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_build_takes_a_process(genome_files, tmp_path, jobs):
    message = rf"^A build needs at least one process, not {jobs}\. Set --jobs \(jobs\) to 1 or more\.$"
    with pytest.raises(ConfigError, match=message):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", jobs=jobs)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_bytes_every_time(genome_files, tmp_path, jobs):
    build(genome_files.manifest(), WINDOW, tmp_path / "one", jobs=1)
    build(genome_files.manifest(), WINDOW, tmp_path / "two", jobs=jobs)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_progress(genome_files, tmp_path):
    calls = []
    build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=lambda *call: calls.append(call))
    total = calls[0][1]
    assert calls == [(done, total) for done in range(total + 1)]
    assert total == len(genome_files.manifest().files()) + 2 * (1 + 2) + 3


def test_only_one_build_at_a_time(genome_files, tmp_path):
    def again(done, total):
        with pytest.raises(RunError, match=r"out is being written by another process, PID .*\. Wait until it ends, or"):
            build(genome_files.manifest(), WINDOW, tmp_path / "out")

    build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=again).verify()
    assert not list(tmp_path.glob(".out*"))


def test_a_build_whose_lock_was_replaced_stops(genome_files, tmp_path):
    with locked(tmp_path / "out") as lock:
        lock.lost = True
        with pytest.raises(RunError, match="considered this one dead"):
            build(genome_files.manifest(), WINDOW, tmp_path / "out", lock=lock)
    assert not (tmp_path / "out").exists()


def test_a_place_that_holds_no_folders(genome_files):
    with pytest.raises(InputError, match=r"^/proc/no/such/place cannot be written: .*\. Choose"):
        build(genome_files.manifest(), WINDOW, "/proc/no/such/place")


class Killed(BaseException):
    """As a signal would."""


@pytest.mark.parametrize("after", [0, 1, 8, 17, 18])
def test_a_stopped_build_continues(genome_files, tmp_path, after):
    def stop(done, total):
        if done == after:
            raise Killed

    calls = []
    with pytest.raises(Killed):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=stop)
    assert not (tmp_path / "out").exists()
    build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=lambda *call: calls.append(call))
    assert calls[0][0] == after
    build(genome_files.manifest(), WINDOW, tmp_path / "again")
    assert _bytes(tmp_path / "out") == _bytes(tmp_path / "again")
    assert not list(tmp_path.glob(".*"))


def test_a_stopped_build_of_something_else_is_not_continued(genome_files, tmp_path):
    def stop(done, total):
        if done == 18:
            raise Killed

    with pytest.raises(Killed):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=stop)
    genome_files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 0, 6000, 2.5), ("chr2", 0, 4000, 2.5)])
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert dataset.signal_values("A")[3, :, 0].tolist() == [2.5] * WINDOW


def test_an_existing_dataset_is_kept_unless_forced(genome_files, tmp_path):
    build(genome_files.manifest(), WINDOW, tmp_path / "out")
    before = _bytes(tmp_path / "out")
    with pytest.raises(InputError, match=r"out already exists\. Choose another folder, or replace it with --force\."):
        build(genome_files.manifest(), 100, tmp_path / "out")
    assert _bytes(tmp_path / "out") == before
    assert build(genome_files.manifest(), 100, tmp_path / "out", force=True).window == 100
    assert not list(tmp_path.glob(".*"))


def test_a_failed_replacement_keeps_the_old(genome_files, tmp_path):
    build(genome_files.manifest(), WINDOW, tmp_path / "out")
    before = _bytes(tmp_path / "out")
    (genome_files.folder / "loops.bedpe").unlink()
    with pytest.raises(InputError, match=r"loops\.bedpe: .* does not exist"):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", force=True)
    assert _bytes(tmp_path / "out") == before


def test_errors_of_the_check_stop_it(genome_files, tmp_path):
    genome_files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 0, 6000, 0.0), ("chr2", 0, 4000, 0.0)])
    with pytest.raises(InputError, match=r"^A\.h3k27ac\.bigWig: it is 0 everywhere"):
        build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert _nothing_left(tmp_path / "out")


def test_what_the_check_did_not_see_leaves_nothing(genome_files, tmp_path, monkeypatch):
    def damaged(*_):
        raise InputError("A.h3k27ac.bigWig cannot be read at chr1:1-200: it is damaged.")

    monkeypatch.setattr(tasks.SignalTask, "_signals", damaged)
    with pytest.raises(InputError, match="cannot be read at chr1"):
        build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert _nothing_left(tmp_path / "out")


def test_a_source_that_changes_under_way(genome_files, tmp_path):
    def change(done, total):
        if done == total:
            os.utime(genome_files.folder / "loops.bedpe", (1, 1))

    with pytest.raises(InputError, match=r"A file of the manifest changed while .*out was built\. Build it again\."):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=change)
    assert not (tmp_path / "out").exists()


def test_a_full_disk(genome_files, tmp_path, monkeypatch):
    def full(path, first, rows):
        if first:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, first, rows)

    write = tasks.write_rows
    monkeypatch.setattr(tasks, "write_rows", full)
    message = (
        r"out cannot be written: No space left on device\. "
        r"Free some space and run the same command to continue: finished tasks are in"
    )
    with pytest.raises(InputError, match=message):
        build(genome_files.manifest(), WINDOW, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(tasks, "write_rows", write)
    calls = []
    build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=lambda *call: calls.append(call))
    assert calls[0][0] > 0


def test_a_limit_on_the_size_of_files(genome_files, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    try:
        with pytest.raises(InputError, match=r"out cannot be written: File too large\. Free some space"):
            build(genome_files.manifest(), WINDOW, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "out").exists()
    build(genome_files.manifest(), WINDOW, tmp_path / "out")


def test_a_place_that_cannot_be_written(genome_files, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match=r"out cannot be written: a folder of its path is a file\. Choose another"):
        build(genome_files.manifest(), WINDOW, tmp_path / "file" / "out")


def test_window_without_a_middle(genome_files, tmp_path):
    with pytest.raises(ConfigError, match="A window of 201 bp has no middle"):
        build(genome_files.manifest(), 201, tmp_path / "out")


def test_float32(genome_files, tmp_path):
    genome_files.values["dtype"] = "float32"
    genome_files.write_bigwig("A.h3k27ac.bigWig", [("chr1", 0, 6000, 1e6 + 1), ("chr2", 0, 4000, 0.1)])
    values = build(genome_files.manifest(), WINDOW, tmp_path / "out").signal_values("A")
    assert values.dtype == np.float32
    assert values[3, 0, 0] == 1e6 + 1


def test_a_dataset_that_was_moved_is_whole(genome_files, tmp_path):
    build(genome_files.manifest(), WINDOW, tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    open_dataset(tmp_path / "moved").verify()


def test_warnings_of_the_check_are_logged(genome_files, tmp_path, caplog):
    genome_files.write_table("features.tsv", {"cds_length": [-5, *range(7)], "density": range(8)})
    dataset = build(genome_files.manifest(), WINDOW, tmp_path / "out")
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert (
        "features.tsv: cds_length cannot be -5 of g0 (1 such value): `epigx build` treats it as missing. "
        "Correct it, or set `minimum` and `maximum` of cds_length in the manifest."
    ) in logged
    assert dataset.genes["gene_id"][np.isnan(dataset.feature_values("A")[:, 0])].tolist() == ["g0"]


def test_an_interrupted_build_says_how_to_continue(genome_files, tmp_path, caplog):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(genome_files.manifest(), WINDOW, tmp_path / "out", progress=interrupt)
    message = f"Stopped building {tmp_path / 'out'}. To continue where it stopped, run the same command again."
    assert message in [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_equal_dna_is_stored_once(genome_files, tmp_path):
    one = build(genome_files.manifest(), WINDOW, tmp_path / "one")
    expected = np.array(one.sequence)
    two = build(genome_files.manifest(), WINDOW, tmp_path / "two")
    assert (one.path / "sequence.npy").samefile(two.path / "sequence.npy")
    assert not (one.path / "signals/A.npy").samefile(two.path / "signals/A.npy")
    shutil.rmtree(one.path)
    open_dataset(two.path).verify()
    np.testing.assert_array_equal(open_dataset(two.path).sequence, expected)


def test_other_dna_is_not_shared(genome_files, tmp_path):
    build(genome_files.manifest(), WINDOW, tmp_path / "one")
    build(genome_files.manifest(), WINDOW // 2, tmp_path / "two")
    assert not (tmp_path / "one/sequence.npy").samefile(tmp_path / "two/sequence.npy")


@pytest.mark.parametrize("spoil", ["damaged DNA", "damaged JSON", "no links"])
def test_dna_that_cannot_be_shared_is_stored_again(genome_files, tmp_path, monkeypatch, spoil):
    def no_links(*_):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    one = build(genome_files.manifest(), WINDOW, tmp_path / "one").path
    if spoil == "damaged DNA":
        content = bytearray((one / "sequence.npy").read_bytes())
        content[-1] ^= 1
        (one / "sequence.npy").write_bytes(content)
    elif spoil == "damaged JSON":
        (one / "dataset.json").write_text("[]")
    else:
        monkeypatch.setattr(os, "link", no_links)
    two = build(genome_files.manifest(), WINDOW, tmp_path / "two")
    two.verify()
    assert not (one / "sequence.npy").samefile(two.path / "sequence.npy")
