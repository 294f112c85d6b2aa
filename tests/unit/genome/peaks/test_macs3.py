from __future__ import annotations

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.peaks import peak_calling
from epigx.genome.peaks.peak_calling import PeakRule, call_peaks, call_peaks_with_macs3
from epigx.genome.tracks.interval_track import open_bedgraph


@pytest.fixture
def track(tmp_path):
    random = np.random.default_rng(1)
    edges = np.cumsum(random.integers(5, 120, 400))
    path = tmp_path / "dnase.bedGraph"
    rows = zip(edges[:-1], edges[1:], random.integers(0, 12, 399) / 2, strict=True)
    path.write_text("".join(f"chr1\t{start}\t{end}\t{value}\n" for start, end, value in rows if value != 1))
    return open_bedgraph(path), int(edges[-1])


@pytest.mark.oracle
@pytest.mark.parametrize("rule", [PeakRule(3.0), PeakRule(2.5, 100, 60), PeakRule(4.0, 30, 0)])
def test_the_built_in_caller_finds_the_peaks_of_macs3(track, rule):
    theirs = call_peaks_with_macs3(track[0], "chr1", track[1], rule)
    ours = call_peaks(track[0], "chr1", track[1], rule)
    assert len(ours) > 1
    assert ours[["chrom", "start", "end"]].to_numpy().tolist() == theirs[["chrom", "start", "end"]].to_numpy().tolist()


@pytest.mark.oracle
def test_no_peak_is_no_error(track):
    assert len(call_peaks_with_macs3(track[0], "chr1", track[1], PeakRule(100.0))) == 0


def test_without_macs3(track, monkeypatch):
    monkeypatch.setattr(peak_calling, "find_macs3", lambda: None)
    with pytest.raises(InputError, match=r"MACS3 is not installed. Install it \(pip install 'epigx\[peaks\]'\), or"):
        call_peaks_with_macs3(track[0], "chr1", track[1], PeakRule(3.0))


def test_a_macs3_that_fails(track, tmp_path, monkeypatch):
    program = tmp_path / "macs3"
    program.write_text("#!/bin/sh\necho no memory >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(peak_calling, "find_macs3", lambda: program)
    with pytest.raises(InputError, match=r"dnase.bedGraph: macs3 bdgpeakcall failed on chr1: no memory$"):
        call_peaks_with_macs3(track[0], "chr1", track[1], PeakRule(3.0))
