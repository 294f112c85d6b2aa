from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.signals import apply_transform, forbids_negative
from epigx.errors import InputError

RAW = np.array([0.0, 0.5, 3.0, 2000.0], np.float32)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("none", RAW),
        ("log1p", np.log(1 + RAW)),
        ("log10p1", np.log10(1 + RAW)),
        ("sqrt", np.sqrt(RAW)),
        ("asinh", np.arcsinh(RAW)),
    ],
)
def test_transforms(transform, expected):
    scaled = apply_transform(RAW, transform)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)
    assert apply_transform(np.empty(0, np.float32), transform).size == 0


def test_raw_values_are_left_alone():
    raw = RAW.copy()
    apply_transform(raw, "log10p1")
    np.testing.assert_array_equal(raw, RAW)


@pytest.mark.parametrize("transform", ["none", "log1p", "log10p1", "sqrt", "asinh"])
def test_negative_values(transform):
    values = np.array([-0.25, 1.0])
    if forbids_negative(transform):
        with pytest.raises(InputError, match=rf"'{transform}' needs values of 0 or more, not -0.25. Use asinh or none"):
            apply_transform(values, transform)
    else:
        assert np.isfinite(apply_transform(values, transform)).all()
