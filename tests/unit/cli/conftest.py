"""What the tests of the command line share."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _logging_as_before():
    """Undo what a call of the program does to logging, which belongs to the whole process."""
    loggers = [logging.getLogger(name) for name in ("epigx", "epigx.cli")]
    before = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, propagate
