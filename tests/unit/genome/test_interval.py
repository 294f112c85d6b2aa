from __future__ import annotations

import pytest

from epigx.errors import ConfigError, InputError
from epigx.genome.interval import Interval, tss_window


def test_length_and_center() -> None:
    interval = Interval("chr1", 10, 20)
    assert interval.length == 10
    assert interval.center == 15


@pytest.mark.parametrize(
    ("length", "expected"), [(2, (14, 16)), (3, (14, 17)), (0, (15, 15)), (40, (-5, 35)), (10, (10, 20))]
)
def test_resize_keeps_the_center(length: int, expected: tuple[int, int]) -> None:
    resized = Interval("chr1", 10, 20, "-").resize(length)
    assert (resized.start, resized.end) == expected
    assert resized.strand == "-"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(-5, 5, (0, 5)), (95, 105, (95, 100)), (-9, -2, (0, 0)), (120, 130, (100, 100)), (-5, 500, (0, 100))],
)
def test_clip_keeps_what_lies_on_the_chromosome(start: int, end: int, expected: tuple[int, int]) -> None:
    clipped = Interval("chr1", start, end).clip(100)
    assert (clipped.start, clipped.end) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("chr1:1-1", Interval("chr1", 0, 1)),
        ("chr1:1,001-3,000", Interval("chr1", 1000, 3000)),
        (" X:7-9(-) ", Interval("X", 6, 9, "-")),
        ("HLA-DRB1*15:1-2".replace(":", "_") + ":1-2", Interval("HLA-DRB1*15_1-2", 0, 2)),
    ],
)
def test_parse_reads_regions_as_people_write_them(region: str, expected: Interval) -> None:
    assert Interval.parse(region) == expected


@pytest.mark.parametrize("region", ["chr1", "chr1:5", "chr1:5-", ":1-2", "chr1:a-b", "chr1:-5-2", "chr1:1-2(*)", ""])
def test_parse_refuses_what_is_no_region(region: str) -> None:
    with pytest.raises(InputError, match=r"is not a region. Write it as chr1:1,001-3,000"):
        Interval.parse(region)


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(InputError, match=r"start 20, end 10: the end lies before the start. Swap them"):
        Interval("chr1", 20, 10)
    with pytest.raises(InputError, match=r"the end lies before the start"):
        Interval.parse("chr1:30-20")


def test_an_unknown_strand_is_refused() -> None:
    with pytest.raises(InputError, match=r"strand '\.' is not \+ or -"):
        Interval("chr1", 1, 2, ".")


def test_tss_stands_at_half_the_window() -> None:
    window = tss_window("chr1", 1_000, 200, "-")
    assert window == Interval("chr1", 900, 1_100, "-")
    assert window.center == 1_000


@pytest.mark.parametrize("length", [-2, 0, 1, 2001])
def test_a_window_without_a_middle_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match=f"A window of {length} bp has no middle. Choose an even number"):
        tss_window("chr1", 1_000, length)
