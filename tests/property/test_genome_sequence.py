"""Properties of sequences: the bases read do not depend on how windows are requested."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from epigx.genome.sequence import Genome, N, one_hot, reverse_complement
from epigx.genome.tracks.batched_reads import batched_reads

LAWS = settings(deadline=None, max_examples=50)
CODES = arrays.arrays(np.uint8, st.tuples(st.integers(0, 4), st.integers(0, 30)), elements=st.integers(0, 4))
STARTS = st.lists(st.integers(-300, 1_300), min_size=1, max_size=12).map(lambda items: np.array(items, dtype=np.int64))


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Genome:
    bases = "".join(np.random.default_rng(0).choice(list("ACGTNacgtn"), 1_000))
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(">chr1\n" + "".join(bases[place : place + 60] + "\n" for place in range(0, 1_000, 60)))
    return Genome(path)


@LAWS
@given(CODES)
def test_reverse_complement_is_an_involution(codes: np.ndarray) -> None:
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes)), codes)


@LAWS
@given(CODES)
def test_reverse_complement_turns_both_axes_of_the_one_hot(codes: np.ndarray) -> None:
    np.testing.assert_array_equal(one_hot(reverse_complement(codes)), one_hot(codes)[:, ::-1, ::-1])


@LAWS
@given(CODES)
def test_one_hot_marks_each_known_base_once(codes: np.ndarray) -> None:
    np.testing.assert_array_equal(one_hot(codes).sum(axis=-1), codes != N)


@LAWS
@given(STARTS, st.integers(1, 150))
def test_windows_agree_with_single_bases(genome: Genome, starts: np.ndarray, length: int) -> None:
    every = starts[:, None] + np.arange(length)
    singly = genome.windows("chr1", every.ravel(), 1).reshape(every.shape)
    np.testing.assert_array_equal(genome.windows("chr1", starts, length), singly)


@LAWS
@given(STARTS, st.integers(1, 60), st.integers(0, 60))
def test_cropped_windows_are_narrower_windows(genome: Genome, starts: np.ndarray, length: int, more: int) -> None:
    wide = genome.windows("chr1", starts - more, length + 2 * more)
    np.testing.assert_array_equal(wide[:, more : more + length], genome.windows("chr1", starts, length))


@LAWS
@given(STARTS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_windows_do_not_depend_on_each_other(genome: Genome, starts: np.ndarray, length: int, random: object) -> None:
    together = genome.windows("chr1", starts, length)
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(starts))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(genome.windows("chr1", starts[order], length), together[order])
    alone = np.concatenate([genome.windows("chr1", starts[[row]], length) for row in range(len(starts))])
    np.testing.assert_array_equal(alone, together)


@LAWS
@given(STARTS, st.integers(1, 200), st.integers(0, 200), st.integers(1, 500))
def test_each_window_on_the_chromosome_is_in_exactly_one_read(
    starts: np.ndarray, length: int, gap: int, limit: int
) -> None:
    found = list(batched_reads(starts, length, 1_000, gap=gap, limit=limit))
    for read in found:
        assert 0 <= read.start < read.end <= 1_000
        assert read.end - read.start <= max(limit, length)
        left, right = np.maximum(starts[read.rows], 0), np.minimum(starts[read.rows] + length, 1_000)
        assert (read.start <= left).all()
        assert (right <= read.end).all()
    rows = [int(row) for read in found for row in read.rows]
    assert sorted(rows) == np.flatnonzero((starts < 1_000) & (starts + length > 0)).tolist()
