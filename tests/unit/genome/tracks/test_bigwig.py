from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.tracks.tracks import Track, open_track

ROWS = [("chr1", 10, 20, 1.5), ("chr1", 20, 30, -2.0), ("chr1", 50, 51, 4.0), ("chr2", 0, 5, 7.0)]
SIZES = {"chr1": 100, "chr2": 60}


@pytest.fixture
def track(write_bigwig: Callable[..., Path]) -> Track:
    return open_track(write_bigwig(ROWS, SIZES), "bigwig")


def dense(chrom: str) -> np.ndarray:
    """The values of a chromosome, with 300 bases without a value on both sides."""
    values = np.full(SIZES[chrom] + 600, np.nan, dtype=np.float32)
    for name, start, end, value in ROWS:
        if name == chrom:
            values[start + 300 : end + 300] = value
    return values


def test_chromosomes_have_lengths(track: Track) -> None:
    assert track.chromosomes == SIZES
    assert repr(track).startswith("BigWigTrack(")


@pytest.mark.parametrize("length", [1, 7, 20, 150])
def test_windows_are_the_per_base_values(track: Track, starts: np.ndarray, length: int) -> None:
    for chrom in SIZES:
        windows = track.windows(chrom, starts, length)
        assert windows.dtype == np.float32
        expected = [dense(chrom)[start + 300 : start + 300 + length] for start in starts]
        np.testing.assert_array_equal(windows, expected)


def test_no_windows(track: Track) -> None:
    assert track.windows("chr1", np.empty(0, dtype=np.int64), 10).shape == (0, 10)


def test_other_names_and_unknown_chromosomes(track: Track) -> None:
    np.testing.assert_array_equal(track.windows("2", np.array([0]), 5), np.full((1, 5), 7, dtype=np.float32))
    with pytest.raises(InputError, match=r"signal\.bigWig has no chromosome 'chr3' \(it has 'chr1', 'chr2'\)"):
        track.windows("chr3", np.array([0]), 5)


def test_summary(track: Track) -> None:
    summary = track.summary(["chr1", "2", "chr3"])
    assert summary.covered_bases == 26
    assert summary.maximum == 7
    assert summary.negative
    assert not track.summary(["chr2"]).negative
    nothing = track.summary([])
    assert nothing.covered_bases == 0
    assert np.isnan(nothing.maximum)


def test_a_large_file_is_summarized_from_its_zoom_levels(
    write_bigwig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epigx.genome.tracks.bigwig._EXACT_BYTES", 0)
    rows = [("chr1", start, start + 1_000, float(start % 7)) for start in range(0, 900_000, 2_000)]
    summary = open_track(write_bigwig(rows, {"chr1": 1_000_000}), "bigwig").summary(["chr1"])
    assert summary.covered_bases == pytest.approx(450_000, rel=0.05)
    assert summary.maximum == 6


@pytest.mark.parametrize("name", ["signal.bw", "signal.BW", "signal.fc", "signal"])
def test_a_bigwig_is_told_by_its_bytes(write_bigwig: Callable[..., Path], name: str) -> None:
    path = write_bigwig(ROWS, SIZES)
    track = open_track(path.rename(path.with_name(name)), "bigwig")
    np.testing.assert_array_equal(track.windows("chr2", np.array([0]), 5), np.full((1, 5), 7, dtype=np.float32))


def test_a_track_goes_to_another_process(track: Track) -> None:
    again = pickle.loads(pickle.dumps(track))
    np.testing.assert_array_equal(again.windows("chr1", np.array([5]), 60), track.windows("chr1", np.array([5]), 60))


def test_files_that_are_not_bigwig_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.bigWig"
    path.write_text("chr1\t0\t10\t1\n")
    with pytest.raises(InputError, match=r"text\.bigWig is not a bigWig \(it starts with b'chr1'\). Check the file"):
        open_track(path, "bigwig")
    path.write_bytes(b"")
    with pytest.raises(InputError, match=r"is not a bigWig"):
        open_track(path, "bigwig")
    path.write_bytes(struct.pack("<I", 0x8789F2EB) + bytes(100))
    with pytest.raises(InputError, match=r"is a bigBed, not a bigWig. Use a bigWig of the signal"):
        open_track(path, "bigwig")
    with pytest.raises(InputError, match=r"none\.bigWig does not exist. Check its path"):
        open_track(tmp_path / "none.bigWig", "bigwig")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        open_track(tmp_path, "bigwig")


def test_a_truncated_bigwig_is_refused(write_bigwig: Callable[..., Path]) -> None:
    rows = [("chr1", start, start + 3, float(start % 7)) for start in range(0, 90_000, 10)]
    path = write_bigwig(rows, {"chr1": 100_000})
    whole = path.read_bytes()
    for share in (0.0005, 0.001, 0.01, 0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(
            InputError, match=r"is truncated: it has [0-9,]+ bytes, fewer than its header declares. Download it again"
        ):
            open_track(path, "bigwig")


def test_damaged_data_is_named_with_its_region(
    write_bigwig: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [("chr1", start, start + 3, float(start % 7)) for start in range(0, 90_000, 10)]
    path = write_bigwig(rows, {"chr1": 100_000})
    damaged = bytearray(path.read_bytes())
    (data,) = struct.unpack("<Q", damaged[16:24])
    damaged[data + 100 : data + 2_000] = bytes(1_900)
    path.write_bytes(damaged)
    with pytest.raises(
        InputError, match=r"cannot be read at chr1:1-90,000 .* is damaged or truncated; download it again"
    ):
        open_track(path, "bigwig").windows("chr1", np.array([0]), 90_000)
    assert capfd.readouterr() == ("", "")


def test_standard_error_is_restored(track: Track, capfd: pytest.CaptureFixture[str]) -> None:
    track.windows("chr1", np.array([0]), 10)
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_standard_error_may_be_closed(track: Track) -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        values = track.windows("chr1", np.array([10]), 10)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert (values == 1.5).all()


def test_a_damaged_chromosome_tree_is_refused(
    write_bigwig: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    path = write_bigwig(ROWS, SIZES)
    damaged = bytearray(path.read_bytes())
    (tree,) = struct.unpack("<Q", damaged[8:16])
    damaged[tree : tree + 32] = bytes(32)
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"cannot be read as a bigWig .*The file is damaged; download it again"):
        open_track(path, "bigwig")
    capfd.readouterr()
