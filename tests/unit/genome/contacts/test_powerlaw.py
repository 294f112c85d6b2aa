from __future__ import annotations

import numpy as np
import pytest

from epigx.genome.contacts.powerlaw import PowerLawContacts, power_law, pseudocount_of


@pytest.mark.parametrize(
    ("distance", "contact"),
    # exp(-4.80 + 11.63 · 0.87 - 0.87 · ln(d + 1)), by hand
    [(0, 0.12343605), (4_999, 0.12343605), (5_000, 0.12343605), (100_000, 0.00911), (1_000_000, 0.0012293)],
)
def test_the_law_at_some_distances(distance: int, contact: float) -> None:
    assert power_law(distance) == pytest.approx(contact, rel=1e-3)


def test_the_law_falls_with_the_exponent_of_the_abc_model() -> None:
    near, far = power_law(np.array([49_999, 999_999]))
    assert np.log(near / far) / np.log(20) == pytest.approx(0.87)


def test_profile_is_the_law_of_the_distance_to_the_tss() -> None:
    contacts = PowerLawContacts()
    profile = contacts.profile("any", np.array([50_000, 80_000]), np.array([40_000, 40_000]), 60_000)
    assert profile.dtype == np.float32
    np.testing.assert_allclose(profile[0], power_law(np.abs(np.arange(40_000, 100_000) - 50_000)), rtol=1e-6)
    np.testing.assert_allclose(profile[1], power_law(np.abs(np.arange(40_000, 100_000) - 80_000)), rtol=1e-6)
    assert contacts.path is None
    assert contacts.chromosomes is None


def test_the_pseudocount_is_at_most_that_of_1_mb() -> None:
    law = power_law(np.array([0, 100_000, 1_000_000, 2_000_000])).astype(np.float32)
    np.testing.assert_allclose(pseudocount_of(law), [0.0012293, 0.0012293, 0.0012293, law[3]], rtol=1e-3)
    assert law[3] < 0.00123
