from __future__ import annotations

import numpy as np
import pytest

from epigx.genome.peaks.peak_calling import PeakRule, call_peaks
from epigx.genome.tracks.interval_track import open_bedgraph


@pytest.fixture
def track(tmp_path):
    path = tmp_path / "dnase.bedGraph"
    rows = [(100, 300, 1), (300, 340, 5), (360, 400, 4), (400, 430, 9), (430, 460, 9), (600, 650, 7), (900, 1000, 3)]
    path.write_text("".join(f"chr1\t{start}\t{end}\t{value}\n" for start, end, value in rows))
    return open_bedgraph(path)


def _called(track, *rule, size=1000):
    peaks = call_peaks(track, "chr1", size, PeakRule(*rule))
    return peaks[["start", "end", "signal", "summit"]].to_numpy().tolist()


def test_gaps_are_bridged_and_short_intervals_dropped(track):
    assert _called(track, 4, 60, 20) == [[300, 460, 9, 430]]


def test_the_cutoff_itself_is_high_enough(track):
    assert _called(track, 3, 50, 0) == [[360, 460, 9, 430], [600, 650, 7, 625], [900, 1000, 3, 950]]
    assert _called(track, 3.01, 60, 19) == [[360, 460, 9, 430]]


def test_bases_without_a_value_are_below_the_cutoff(track):
    assert _called(track, 0.5, 1, 0)[0] == [100, 340, 5, 320]


def test_no_peak(track):
    peaks = call_peaks(track, "chr1", 1000, PeakRule(10))
    assert len(peaks) == 0
    assert list(peaks.columns) == ["chrom", "start", "end", "signal", "summit"]


@pytest.mark.parametrize("block", [1, 7, 64, 430, 999])
def test_the_block_does_not_matter(track, block):
    whole = call_peaks(track, "chr1", 1000, PeakRule(3, 30, 10))
    assert call_peaks(track, "chr1", 1000, PeakRule(3, 30, 10), block=block).equals(whole)


def test_the_rule_base_by_base(tmp_path):
    random = np.random.default_rng(0)
    values = np.repeat(random.integers(0, 6, 150), random.integers(1, 30, 150))
    path = tmp_path / "random.bedGraph"
    path.write_text("".join(f"chr1\t{place}\t{place + 1}\t{value}\n" for place, value in enumerate(values)))
    peaks = call_peaks(open_bedgraph(path), "chr1", len(values), PeakRule(4, 25, 12))
    high = [int(place) for place in np.flatnonzero(values >= 4)]
    expected, start, last = [], high[0], high[0]
    for place in [*high[1:], 10**9]:
        if place - last - 1 > 12:
            expected += [[start, last + 1]] if last + 1 - start >= 25 else []
            start = place
        last = place
    assert peaks[["start", "end"]].to_numpy().tolist() == expected
    assert len(expected) > 5
    assert [values[summit] for summit in peaks["summit"]] == peaks["signal"].tolist()
