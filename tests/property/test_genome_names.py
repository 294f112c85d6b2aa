"""Laws of intervals and of chromosome names."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from epigx.genome.chromosomes import match_chromosome, match_chromosomes
from epigx.genome.interval import Interval, tss_window

NAMES = st.sampled_from(["1", "chr1", "2", "chr2", "X", "chrX", "chrM", "MT", "M", "chrMT", "GL1", "chrGL1"])
INTERVALS = st.builds(
    lambda chrom, start, length, strand: Interval(chrom, start, start + length, strand),
    NAMES,
    st.integers(0, 10**9),
    st.integers(0, 10**7),
    st.sampled_from("+-"),
)
LAWS = settings(deadline=None, max_examples=50)


@LAWS
@given(INTERVALS)
def test_a_region_reads_back(interval: Interval) -> None:
    if interval.length:
        assert Interval.parse(str(interval)) == interval


@LAWS
@given(INTERVALS, st.integers(0, 10**6))
def test_resizing_to_and_fro_gives_the_interval_back(interval: Interval, length: int) -> None:
    resized = interval.resize(length)
    assert resized.length == length
    assert resized.center == interval.center
    assert resized.resize(interval.length) == interval


@LAWS
@given(INTERVALS, st.integers(0, 10**9))
def test_clipping_twice_is_clipping_once(interval: Interval, size: int) -> None:
    clipped = interval.clip(size)
    assert clipped.clip(size) == clipped
    assert 0 <= clipped.start <= clipped.end <= size
    assert clipped.length == max(0, min(interval.end, size) - max(interval.start, 0))


@LAWS
@given(st.integers(-1_000, 10**9), st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_narrower_window_is_the_crop_of_a_wider_one(tss: int, half: int, more: int) -> None:
    wide, narrow = (tss_window("1", tss, 2 * size) for size in (half + more, half))
    assert wide.resize(narrow.length) == narrow
    assert narrow.center == tss


@LAWS
@given(NAMES, NAMES)
def test_being_another_name_of_a_chromosome_is_mutual(one: str, other: str) -> None:
    assert (match_chromosome(one, [other]) == other) == (match_chromosome(other, [one]) == one)


@LAWS
@given(st.lists(NAMES), st.sets(NAMES))
def test_a_match_is_a_name_that_there_is_and_prefers_the_same_one(wanted: list[str], available: set[str]) -> None:
    matches = match_chromosomes(wanted, available)
    for name in wanted:
        assert matches.get(name) == match_chromosome(name, available)
        if name in available:
            assert matches[name] == name
    assert set(matches.values()) <= available
