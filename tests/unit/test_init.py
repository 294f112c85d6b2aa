"""The public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import epigx


def test_every_public_name_is_there_and_listed():
    assert set(dir(epigx)) == set(epigx.__all__)
    for name in epigx.__all__:
        assert getattr(epigx, name) is not None
    assert epigx.load is epigx.open_run


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'epigx' has no attribute 'trian'"):
        _ = epigx.trian


def test_importing_epigx_brings_nothing_heavy():
    script = "import sys, epigx; assert not {'torch', 'pandas', 'pytorch_lightning', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
