"""Properties of signals: values do not depend on how windows are requested, nor on the format of the file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pybigtools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from epigx.genome.contacts.contacts import Contacts, open_contacts
from epigx.genome.peaks.peaks import Peaks
from epigx.genome.tracks.step_function import max_of_intervals
from epigx.genome.tracks.tracks import Track, open_track

LAWS = settings(deadline=None, max_examples=50)
SIZE = 60_000
STARTS = st.lists(st.integers(-3_000, SIZE + 3_000), min_size=1, max_size=12).map(
    lambda items: np.array(items, dtype=np.int64)
)


@pytest.fixture(scope="module", params=["bigwig", "bedgraph", "narrowpeak"])
def track(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Track:
    draw = np.random.default_rng(0)
    bounds = np.sort(draw.choice(SIZE, 2_000, replace=False))
    rows = [
        ("chr1", int(start), int(end), float(np.float32(value)))
        for start, end, value in zip(bounds[::2], bounds[1::2], draw.normal(size=1_000), strict=True)
    ]
    path = tmp_path_factory.mktemp("track") / "signal.bigWig"
    if request.param == "bigwig":
        pybigtools.open(str(path), "w").write({"chr1": SIZE}, rows)
    else:
        draw.shuffle(rows)
        filling = "" if request.param == "bedgraph" else ".\t0\t.\t"
        path.write_text("".join(f"{chrom}\t{start}\t{end}\t{filling}{value!r}\n" for chrom, start, end, value in rows))
    return open_track(path, request.param)


@LAWS
@given(STARTS, st.integers(1, 40))
def test_windows_agree_with_single_bases(track: Track, starts: np.ndarray, length: int) -> None:
    every = starts[:, None] + np.arange(length)
    singly = track.windows("chr1", every.ravel(), 1).reshape(every.shape)
    np.testing.assert_array_equal(track.windows("chr1", starts, length), singly)


@LAWS
@given(STARTS, st.integers(1, 2_000), st.integers(0, 3_000))
def test_cropped_windows_are_narrower_windows(track: Track, starts: np.ndarray, length: int, more: int) -> None:
    wide = track.windows("chr1", starts - more, length + 2 * more)
    np.testing.assert_array_equal(wide[:, more : more + length], track.windows("chr1", starts, length))


@LAWS
@given(STARTS, st.integers(1, 2_000), st.integers(0, 2**32 - 1))
def test_windows_do_not_depend_on_order_and_grouping(track: Track, starts: np.ndarray, length: int, seed: int) -> None:
    together = track.windows("chr1", starts, length)
    order = np.random.default_rng(seed).permutation(len(starts))
    cut = seed % (len(starts) + 1)
    parts = [track.windows("chr1", starts[rows], length) for rows in (order[:cut], order[cut:])]
    np.testing.assert_array_equal(np.concatenate(parts), together[order])


def test_a_summary_covers_all_bases(track: Track) -> None:
    values = track.windows("chr1", np.array([0]), SIZE)[0]
    summary = track.summary(["chr1"])
    assert summary.covered_bases == np.isfinite(values).sum()
    assert summary.maximum == pytest.approx(np.nanmax(values))
    assert summary.negative


INTERVALS = st.lists(
    st.tuples(st.integers(0, 50), st.integers(1, 20), st.floats(-5, 5, width=32)), min_size=1, max_size=15
)


@LAWS
@given(INTERVALS)
def test_steps_of_overlapping_intervals_are_the_highest_of_each_base(intervals: list[tuple[int, int, float]]) -> None:
    starts, widths, values = (np.array(column) for column in zip(*intervals, strict=True))
    steps = max_of_intervals(starts, starts + widths, values.astype(np.float64))
    dense = np.full(80, -np.inf, dtype=np.float32)
    for start, width, value in intervals:
        dense[start : start + width] = np.maximum(dense[start : start + width], value)
    np.testing.assert_array_equal(steps.windows(np.array([0]), 80, -np.inf)[0], dense)
    assert (steps.starts[1:] >= steps.ends[:-1]).all()


@LAWS
@given(INTERVALS, STARTS, st.integers(1, 60))
def test_a_base_is_masked_if_any_peak_contains_it(
    intervals: list[tuple[int, int, float]], starts: np.ndarray, length: int
) -> None:
    starts = starts % 90 - 10
    frame = pd.DataFrame(
        [("1", start, start + width) for start, width, _ in intervals], columns=["chrom", "start", "end"]
    )
    bases = starts[:, None] + np.arange(length)
    held = np.any([(bases >= start) & (bases < start + width) for start, width, _ in intervals], axis=0)
    np.testing.assert_array_equal(Peaks(frame).mask("1", starts, length), held)


@pytest.fixture(scope="module", params=["bedpe", "powerlaw", "cool"])
def contacts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Contacts:
    import hictkpy

    draw = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("contacts") / f"contacts.{request.param}"
    if request.param == "bedpe":
        places = draw.integers(0, SIZE - 2_000, (60, 2))
        loops = ((*pair, float(value)) for pair, value in zip(places.tolist(), draw.random(60), strict=True))
        path.write_text(
            "".join(f"1\t{one}\t{one + 2_000}\t1\t{two}\t{two + 2_000}\t.\t{value}\n" for one, two, value in loops)
        )
    elif request.param == "cool":
        rows, columns = np.triu_indices(60)
        writer = hictkpy.cooler.FileWriter(path, {"1": SIZE}, 1_000)
        writer.add_pixels(pd.DataFrame({"bin1_id": rows, "bin2_id": columns, "count": draw.integers(1, 99, len(rows))}))
        writer.finalize()
    options = {"resolution": 1_000} if request.param == "cool" else {}
    return open_contacts(path, request.param, band=8_000, **options)


@LAWS
@given(STARTS, st.integers(1, 1_500), st.integers(0, 2_000), st.integers(0, SIZE - 1))
def test_cropped_profiles_are_narrower_profiles(
    contacts: Contacts, starts: np.ndarray, length: int, more: int, shift: int
) -> None:
    tss = (starts + shift) % SIZE
    wide = contacts.profile("chr1", tss, starts - more, length + 2 * more)
    narrow = contacts.profile("chr1", tss, starts, length)
    np.testing.assert_array_equal(wide[:, more : more + length], narrow)
    alone = [contacts.profile("chr1", tss[[row]], starts[[row]], length)[0] for row in range(len(starts))]
    np.testing.assert_array_equal(alone, narrow)


@LAWS
@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_contact_is_symmetric(contacts: Contacts, one: int, other: int) -> None:
    there = contacts.profile("1", np.array([one]), np.array([other]), 1)
    back = contacts.profile("1", np.array([other]), np.array([one]), 1)
    np.testing.assert_array_equal(there, back)
