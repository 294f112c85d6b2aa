from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.tracks.tracks import open_track

BEDGRAPH = "track type=bedGraph\nchr1\t20\t30\t-2\nchr1\t10\t20\t1.5\nchr2\t0\t5\t7\n"
PEAK = "chr1\t{}\t{}\tpeak\t900\t.\t{}\t-1\t-1\t-1\n"


def test_bedgraph_windows(tmp_path: Path, starts: np.ndarray) -> None:
    path = tmp_path / "signal.bedGraph"
    path.write_text(BEDGRAPH)
    track = open_track(path, "bedgraph")
    assert track.chromosomes == {"chr1": None, "chr2": None}
    dense = np.full(700, np.nan, dtype=np.float32)
    dense[310:320], dense[320:330] = 1.5, -2
    for length in (1, 20, 150):
        windows = track.windows("1", starts, length)
        assert windows.dtype == np.float32
        np.testing.assert_array_equal(windows, [dense[start + 300 : start + 300 + length] for start in starts])
    again = pickle.loads(pickle.dumps(track))
    np.testing.assert_array_equal(again.windows("chr1", starts, 9), track.windows("chr1", starts, 9))
    assert repr(track).endswith("signal.bedGraph')")


def test_a_chromosome_without_intervals_has_no_values(tmp_path: Path) -> None:
    path = tmp_path / "signal.bedGraph"
    path.write_text(BEDGRAPH)
    assert np.isnan(open_track(path, "bedgraph").windows("chr9", np.array([0, 5]), 4)).all()


def test_summary(tmp_path: Path) -> None:
    path = tmp_path / "signal.bedGraph"
    path.write_text(BEDGRAPH)
    summary = open_track(path, "bedgraph").summary(["chr1", "2", "chr9"])
    assert summary == (25, 7.0, True)


def test_overlaps_of_a_bedgraph_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "signal.bedGraph"
    path.write_text(BEDGRAPH + "chr1\t15\t16\t3\n")
    with pytest.raises(InputError, match=r"line 5: the interval overlaps the one in line 3. A bedGraph has one value"):
        open_track(path, "bedgraph")


def test_overlapping_peaks_count_with_the_highest_signal(tmp_path: Path) -> None:
    path = tmp_path / "dnase.narrowPeak"
    path.write_text(PEAK.format(5, 9, 20) + PEAK.format(0, 6, 10) + PEAK.format(7, 12, 5))
    windows = open_track(path, "narrowpeak").windows("chr1", np.array([0]), 13)
    np.testing.assert_array_equal(windows[0], [10] * 5 + [20] * 4 + [5] * 3 + [np.nan])


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("bedgraph", "track type=bedGraph\n", "has no intervals. Check that it is a bedGraph"),
        ("bedgraph", "chr1\t1\t2\n", r"line 1: column 4 \(value\) is missing. Check that the file is a bedGraph"),
        (
            "narrowpeak",
            "chr1\t1\t2\tx\t0\t+\n",
            r"line 1: column 7 \(value\) is missing. Check that the file is a narrowPeak",
        ),
        ("bedgraph", "chr1\t5\t2\t1\n", "line 1: start 5 and end 2 are not an interval"),
    ],
)
def test_files_of_other_formats_are_refused(tmp_path: Path, kind: str, text: str, message: str) -> None:
    path = tmp_path / "signal.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        open_track(path, kind)
