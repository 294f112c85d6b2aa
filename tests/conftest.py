"""What all tests share: seeds, and where the real data and the parity fixtures lie when they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    np.random.seed(0)  # noqa: NPY002 (libraries under test may draw from the global generator)


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} is not at hand: set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """Numbers that the official classes gave."""
    return _folder("EPIGX_FIXTURES", SHARED / "fixtures", "the folder of parity fixtures")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real human data for K562 and GM12878."""
    return _folder("EPIGX_REAL_DATA", SHARED / "data" / "hg38-k562-gm12878", "the folder of real data")
