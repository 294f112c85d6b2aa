"""Laws of the order of training, of reading batches, of splits, and of the manifest's two forms."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from epigx.dataset.inputs import FeatureInput, fit_inputs
from epigx.dataset.loader import Order
from epigx.dataset.manifest.schema import Manifest
from epigx.dataset.manifest.split import Split
from epigx.dataset.signals import apply_transform
from epigx.dataset.store import open_dataset
from epigx.dataset.window_grid import WindowGrid, crop_slice
from epigx.dataset.windows import Windows
from epigx.genome.sequence import reverse_complement

orders = st.builds(Order, n=st.integers(1, 60), batch_size=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
names = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_+-]{0,8}\Z")


@settings(max_examples=50, deadline=None)
@given(order=orders, epoch=st.integers(0, 1000))
def test_an_epoch_is_a_permutation(order, epoch):
    permutation = order.epoch(epoch)
    assert sorted(permutation.tolist()) == list(range(order.n))
    first = epoch * order.steps_per_epoch
    batches = [order.batch(first + step) for step in range(order.steps_per_epoch)]
    assert np.concatenate(batches).tolist() == permutation.tolist()


@settings(max_examples=50, deadline=None)
@given(order=orders, start=st.integers(0, 500), steps=st.integers(0, 20))
def test_the_order_is_a_function_of_the_step_alone(order, start, steps):
    streamed = list(islice(order.batches(start), steps))
    assert streamed == [order.batch(step).tolist() for step in range(start, start + steps)]


@pytest.fixture(scope="module")
def windows(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    return Windows(dataset, ("alpha", "beta"), np.arange(20), fit_inputs(dataset, ["alpha"], np.arange(20), window=32))


@settings(max_examples=30, deadline=None)
@given(indices=st.lists(st.integers(0, 39), min_size=1, max_size=12), cut=st.integers(1, 12))
def test_a_batch_is_its_windows_one_by_one(windows, indices, cut):
    whole = windows.__getitems__(indices)
    pieces = [windows.__getitems__(indices[first : first + cut]) for first in range(0, len(indices), cut)]
    for name in ("sequence", "signals", "features"):
        assert torch.equal(getattr(whole, name), torch.cat([getattr(piece, name) for piece in pieces]))
    assert whole.gene_id == sum((piece.gene_id for piece in pieces), ())


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.floats(0, 60_000, width=32), min_size=2, max_size=20),
    transform=st.sampled_from(["none", "log1p", "log10p1", "sqrt", "asinh"]),
)
def test_transforms_keep_zero_and_order(values, transform):
    raw = np.sort(np.array(values, np.float32))
    scaled = apply_transform(raw, transform)
    assert (np.diff(scaled) >= 0).all()
    assert (scaled[raw == 0] == 0).all()
    assert np.isfinite(scaled).all()


@settings(max_examples=50, deadline=None)
@given(
    values=st.lists(st.floats(0, 1e9) | st.just(float("nan")), min_size=1, max_size=20),
    transform=st.sampled_from(["none", "zscore", "log10zscore"]),
    mean=st.floats(-10, 10),
    scale=st.floats(0.01, 10),
)
def test_features_are_finite_whatever_is_missing(values, transform, mean, scale):
    feature = FeatureInput(name="x", transform=transform, mean=mean, scale=scale)
    scaled = feature.apply(np.array(values))
    assert np.isfinite(scaled).all()
    filled = scaled[np.isnan(values)]
    assert (filled == np.float32(mean if transform == "none" else 0)).all()


@settings(max_examples=50, deadline=None)
@given(
    chromosomes=st.lists(st.sampled_from(["1", "2", "3", "X", "M", "10"]), max_size=20),
    held=st.lists(st.sampled_from(["1", "2", "3", "X", "10"]), unique=True, max_size=4),
    data=st.data(),
)
def test_a_split_does_not_depend_on_naming(chromosomes, held, data):
    cut = data.draw(st.integers(0, len(held)))
    plain = Split(valid=tuple(held[:cut]), test=tuple(held[cut:]))
    prefixed = Split(valid=tuple(f"chr{name}" for name in held[:cut]), test=tuple(held[cut:]))
    other = [f"chr{name}" for name in chromosomes]
    sets = plain.of(chromosomes).tolist()
    assert sets == prefixed.of(other).tolist() == plain.of(other).tolist()
    expected = ["valid" if c in held[:cut] else "test" if c in held[cut:] else "train" for c in chromosomes]
    assert sets == expected


half_lengths = st.integers(1, 40)


@st.composite
def grids(draw):
    n = draw(st.integers(1, 6))
    genes = {
        "chrom": draw(st.lists(st.sampled_from(["chr1", "chr2"]), min_size=n, max_size=n)),
        "tss": draw(st.lists(st.integers(0, 10**9), min_size=n, max_size=n)),
        "strand": draw(st.lists(st.sampled_from("+-"), min_size=n, max_size=n)),
    }
    return WindowGrid.of(pd.DataFrame(genes), 2 * draw(half_lengths), draw(st.sampled_from(["genome", "strand"])))


def _bases(grid):
    """Return the genome's base at each position in reading direction."""
    return grid.orient(grid.starts[:, None] + np.arange(grid.length))


@settings(max_examples=100, deadline=None)
@given(grid=grids(), half=half_lengths)
def test_a_cropped_grid_is_the_grid_of_the_shorter_length(grid, half):
    length = min(2 * half, grid.length)
    short = WindowGrid(grid.chrom, grid.tss, grid.strand, length, grid.orientation)
    assert grid.crop(length) == short
    np.testing.assert_array_equal(_bases(grid)[:, crop_slice(grid.length, length)], _bases(short))


@settings(max_examples=50, deadline=None)
@given(grid=grids(), seed=st.integers(0, 2**32 - 1))
def test_flipping_twice_is_the_identity(grid, seed):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5, (len(grid), grid.length), dtype=np.uint8)
    values = rng.normal(size=(len(grid), 2, grid.length)).astype(np.float32)
    for windows, flip in ((codes, [reverse_complement]), (values, [])):
        twice = grid.orient(grid.orient(windows.copy(), *flip), *flip)
        np.testing.assert_array_equal(twice, windows)


@settings(max_examples=50, deadline=None)
@given(grid=grids(), most=st.integers(1, 300))
def test_chunks_put_together_are_the_grid(grid, most):
    chunks = list(grid.chunks(most))
    order = np.concatenate([rows for rows, _ in chunks])
    assert sorted(order.tolist()) == list(range(len(grid)))
    assert all(len(rows) == 1 or len(rows) * grid.length <= most for rows, _ in chunks)
    np.testing.assert_array_equal(np.concatenate([chunk.starts for _, chunk in chunks]), grid.starts[order])


@settings(max_examples=50, deadline=None)
@given(
    signals=st.dictionaries(
        names,
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["foreground", "background"]),
                "transform": st.sampled_from(["none", "log1p", "asinh"]),
            }
        ),
        min_size=1,
        max_size=3,
    ),
    cells=st.lists(names, min_size=1, max_size=3, unique=True),
    data=st.data(),
)
def test_a_manifest_is_the_same_after_saving(signals, cells, data):
    files = st.sampled_from(["a.bw", "b.bedGraph.gz", "c.narrowPeak", "d.mcool", {"file": "e.bedpe", "slack": 100}])
    values = {
        "assembly": "toy",
        "genome": "g.fa",
        "genes": "g.gtf",
        "split": {"valid": [], "test": ["chr2"]},
        "signals": signals,
        "cell_types": {cell: {"signals": {name: data.draw(files) for name in signals}} for cell in cells},
    }
    manifest = Manifest.parse(values)
    assert Manifest.parse(yaml.safe_load(manifest.dump())) == manifest
    assert list(manifest.signals) == list(signals)
