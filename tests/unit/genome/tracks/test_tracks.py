from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.tracks.tracks import open_track

ROWS = [("chr1", 10, 20, 1.5), ("chr1", 30, 33, 2.0), ("chr2", 0, 5, 7.0)]


def test_one_signal_in_three_formats_is_one_signal(
    write_bigwig: Callable[..., Path], tmp_path: Path, starts: np.ndarray
) -> None:
    graph, peaks = tmp_path / "signal.bedGraph", tmp_path / "signal.narrowPeak"
    graph.write_text("".join(f"{chrom}\t{start}\t{end}\t{value}\n" for chrom, start, end, value in ROWS))
    peaks.write_text("".join(f"{chrom}\t{start}\t{end}\t.\t0\t.\t{value}\n" for chrom, start, end, value in ROWS))
    tracks = [
        open_track(write_bigwig(ROWS, {"chr1": 100, "chr2": 50}), "bigwig"),
        open_track(graph, "bedgraph"),
        open_track(str(peaks), "narrowpeak"),
    ]
    for chrom in ("chr1", "chr2"):
        first, *others = (track.windows(chrom, starts, 25) for track in tracks)
        for other in others:
            np.testing.assert_array_equal(other, first)
    assert len({track.summary(["chr1", "chr2"]) for track in tracks}) == 1


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"a\.bw: unknown file format 'bigwg'. Did you mean 'bigwig'?"):
        open_track("a.bw", "bigwg")
