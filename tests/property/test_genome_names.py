"""Properties of matching chromosome names."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from epigx.genome.chromosomes import match_chromosome, match_chromosomes

NAMES = st.sampled_from(["1", "chr1", "2", "chr2", "X", "chrX", "chrM", "MT", "M", "chrMT", "GL1", "chrGL1"])
LAWS = settings(deadline=None, max_examples=50)


@LAWS
@given(NAMES, NAMES)
def test_matching_chromosome_names_is_symmetric(one: str, other: str) -> None:
    assert (match_chromosome(one, [other]) == other) == (match_chromosome(other, [one]) == one)


@LAWS
@given(st.lists(NAMES), st.sets(NAMES))
def test_a_match_is_an_available_name_and_an_identical_name_wins(wanted: list[str], available: set[str]) -> None:
    matches = match_chromosomes(wanted, available)
    for name in wanted:
        assert matches.get(name) == match_chromosome(name, available)
        if name in available:
            assert matches[name] == name
    assert set(matches.values()) <= available
