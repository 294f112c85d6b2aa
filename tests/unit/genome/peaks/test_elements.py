from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from epigx.errors import InputError
from epigx.genome.peaks.elements import Candidates, activity, candidates
from epigx.genome.tracks.interval_track import open_bedgraph


def _peaks(*summits):
    return pd.DataFrame({"summit": np.array(summits, np.int64)})


def _pairs(found):
    return list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))


def test_candidates_are_500_bp_around_summits_and_merged():
    assert _pairs(candidates(_peaks(9000, 1000, 1500, 1000, 5000), 20_000, 2_000)) == [
        (750, 1750),  # the two touch
        (4750, 5250),
        (8750, 9250),
    ]


def test_candidates_are_clipped_to_the_chromosome():
    assert _pairs(candidates(_peaks(100, 9_990), 10_000, 2_000)) == [(0, 350), (9_740, 10_000)]


def test_long_candidates_are_cropped_around_their_centre():
    assert _pairs(candidates(_peaks(*range(1000, 4001, 400)), 20_000, 2_000)) == [(1400, 3400)]


def test_no_peaks():
    found = candidates(_peaks(), 10_000, 2_000)
    assert len(found.starts) == 0
    assert found.nearest(500, count=5, reach=1000, promoter=100).tolist() == []


def test_the_nearest_come_first_and_none_overlaps_the_promoter():
    found = candidates(_peaks(1000, 3_000, 3_900, 5_000, 6_300, 7_000, 40_000), 50_000, 2_000)
    chosen = found.nearest(5_000, count=10, reach=10_000, promoter=1_000)
    # That of 3,900 reaches from 3,650 to 4,150, into the promoter; so does that of 5,000; 40,000 is too far.
    assert found.centers[chosen].tolist() == [6_300, 3_000, 7_000, 1_000]
    assert found.nearest(5_000, count=2, reach=10_000, promoter=1_000).tolist() == chosen[:2].tolist()


def test_activity_by_hand(tmp_path):
    (tmp_path / "k27.bedGraph").write_text("chr1\t100\t200\t4\nchr1\t200\t300\t8\nchr1\t900\t1000\t100\n")
    (tmp_path / "dnase.bedGraph").write_text("chr1\t0\t300\t2\nchr1\t500\t600\t7\n")
    tracks = [open_bedgraph(tmp_path / name) for name in ("k27.bedGraph", "dnase.bedGraph")]
    chosen = Candidates(np.array([100, 200, 500]), np.array([300, 400, 600]))
    expected = [np.sqrt(6 * 2), np.sqrt(4 * 1), 0]
    np.testing.assert_allclose(activity(*tracks, "chr1", chosen, 400), expected)


def test_a_negative_track(tmp_path):
    (tmp_path / "log.bedGraph").write_text("chr1\t100\t200\t-4\n")
    track = open_bedgraph(tmp_path / "log.bedGraph")
    with pytest.raises(InputError, match=r"log.bedGraph: the mean signal over chr1:51-250 is negative \(-2\), so"):
        activity(track, track, "chr1", Candidates(np.array([50]), np.array([250])), 200)
