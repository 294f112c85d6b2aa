"""Laws of the order of training, of reading batches, of splits, and of the manifest's two forms."""

from __future__ import annotations

from itertools import islice

import numpy as np
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
from epigx.dataset.window_grid import window_starts
from epigx.dataset.windows import Windows

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


@settings(max_examples=50, deadline=None)
@given(
    tss=st.integers(0, 10**9),
    half=st.integers(1, 10**5),
    shorter=st.integers(1, 10**5),
    strand=st.sampled_from("+-"),
    orient=st.sampled_from(["genome", "strand"]),
)
def test_windows_of_all_lengths_share_their_centre(tss, half, shorter, strand, orient):
    shorter = min(shorter, half)
    places = np.array([tss], np.int64), np.array([strand], object)
    long, short = (int(window_starts(*places, 2 * size, orient)[0]) for size in (half, shorter))
    assert short - long == half - shorter


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
