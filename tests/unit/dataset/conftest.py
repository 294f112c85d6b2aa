"""What the tests of the check share."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def messages(genome_files) -> Callable[..., list[str]]:
    """Return what a check says, as ``"level: where: message"``."""

    def find(window: int = 200) -> list[str]:
        from epigx.dataset.validate.check import check

        return [f"{p.level}: {p.where}: {p.message}" for p in check(genome_files.manifest(), window)]

    return find
