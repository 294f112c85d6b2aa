from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from epigx.errors import InputError
from epigx.genome.peaks.peaks import Peaks, read_peaks


def test_narrowpeak(tmp_path: Path) -> None:
    path = tmp_path / "dnase.narrowPeak"
    path.write_text("chr1\t10\t20\ta\t0\t.\t5.5\t-1\t-1\t3\nchr2\t10\t21\tb\t0\t.\t.\t-1\t-1\t-1\n")
    pd.testing.assert_frame_equal(
        read_peaks(path),
        pd.DataFrame(
            {
                "chrom": ["chr1", "chr2"],
                "start": [10, 10],
                "end": [20, 21],
                "signal": [5.5, np.nan],
                "summit": [13, 15],
            }
        ),
    )


def test_a_bed_of_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "peaks.bed"
    path.write_text("chr1 10 20\n")
    peaks = read_peaks(path)
    assert peaks["signal"].isna().all()
    assert peaks["summit"].tolist() == [15]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no intervals. Check that it is a narrowPeak or BED"),
        ("chr1\t20\t10\n", "line 1: start 20 and end 10 are not an interval"),
        ("chr1\t1\t10\ta\t0\t.\tx\n", r"line 1: column 7 \(signal\) is 'x', not a number"),
    ],
)
def test_files_without_peaks_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "peaks.bed"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_peaks(path)


def test_mask_of_overlapping_peaks(starts: np.ndarray) -> None:
    peaks = Peaks(pd.DataFrame({"chrom": ["1", "1", "1"], "start": [45, 2, 40], "end": [50, 4, 47]}))
    assert peaks.chromosomes == {"1": None}
    dense = np.zeros(700, dtype=bool)
    dense[340:350] = dense[302:304] = True
    mask = peaks.mask("chr1", starts, 15)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, [dense[start + 300 : start + 315] for start in starts])
    assert not peaks.mask("chr2", starts, 15).any()
