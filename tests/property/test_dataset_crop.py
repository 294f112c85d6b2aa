"""A dataset of long windows, cropped, is the dataset of short windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from epigx.dataset.build.build import build
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.windows import Windows

LONGEST = 1200


@pytest.fixture(scope="module", params=["genome", "strand"])
def long(request, make_genome_files, add_regions, tmp_path_factory):
    files = add_regions(make_genome_files(tmp_path_factory.mktemp("crop") / "files"))
    files.values["orient"] = request.param
    files.values["cell_types"]["B"]["signals"]["hic"] = {"kind": "powerlaw"}
    return files.manifest(), build(files.manifest(), LONGEST, files.folder.parent / "long")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(half=st.integers(1, LONGEST // 2))
def test_crop_of_build_is_build_of_crop(long, tmp_path, half):
    manifest, dataset = long
    window = 2 * half
    short = build(manifest, window, Path(tmp_path) / "short", force=True)
    middle = slice(LONGEST // 2 - half, LONGEST // 2 + half)
    np.testing.assert_array_equal(short.sequence, dataset.sequence[:, middle])
    for cell_type in dataset.cell_types:
        np.testing.assert_array_equal(short.signal_values(cell_type), dataset.signal_values(cell_type)[:, middle])
    columns = short.genes.columns.drop("dna_coverage")  # of the window, as its name says
    assert short.genes[columns].equals(dataset.genes[columns])
    rows = np.arange(len(dataset))
    inputs = fit_inputs(dataset, ["A"], rows, window=window)
    assert inputs == fit_inputs(short, ["A"], rows)
    needs = ("peaks", "blacklist")
    one, other = (Windows(source, "A", rows, inputs, needs=needs).__getitems__(rows) for source in (dataset, short))
    assert bool((one.signals == other.signals).all())
    assert bool((one.sequence == other.sequence).all())
    assert bool((one.peaks == other.peaks).all())
    assert bool((one.blacklist == other.blacklist).all())
