from __future__ import annotations

import json

import numpy as np
import pytest

from epigx.dataset.build.build import build
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import DatasetError
from epigx.genome.peaks.peaks import Peaks, read_peaks

WINDOW = 300


def _windows(dataset, cells, needs, window=WINDOW):
    rows = np.arange(len(dataset))
    inputs = fit_inputs(dataset, cells, rows, window=window, signals=[], features=[])
    return Windows(dataset, cells, rows, inputs, needs=needs)


def _expected(dataset, path, window=WINDOW):
    """Return what the masks should be, read from the file a gene at a time."""
    peaks = Peaks(read_peaks(path))
    masks = []
    for _, gene in dataset.genes.iterrows():
        flip = dataset.about.orient == "strand" and gene["strand"] == "-"
        start = gene["tss"] - window // 2 + flip
        mask = peaks.mask(gene["chrom"], np.array([start]), window)[0]
        masks.append(mask[::-1] if flip else mask)
    return np.stack(masks)


@pytest.mark.parametrize("orient", ["genome", "strand"])
def test_masks_are_those_of_the_files(region_files, tmp_path, orient):
    region_files.values["orient"] = orient
    dataset = build(region_files.manifest(), WINDOW, tmp_path / "out")
    windows = _windows(dataset, ("A", "B"), ("peaks", "blacklist"))
    batch = windows.__getitems__(np.arange(16))
    for place, cell in enumerate("AB"):
        expected = _expected(dataset, region_files.folder / f"{cell}.narrowPeak")
        np.testing.assert_array_equal(batch.peaks[8 * place : 8 * place + 8].numpy(), expected)
        assert 0 < expected.mean() < 1
    blacklist = _expected(dataset, region_files.folder / "blacklist.bed")
    np.testing.assert_array_equal(batch.blacklist.numpy(), np.concatenate([blacklist, blacklist]))
    assert blacklist.any()


def test_only_what_is_needed_is_read(region_files, tmp_path):
    dataset = build(region_files.manifest(), WINDOW, tmp_path / "out")
    batch = _windows(dataset, ("A",), ())[0]
    assert (batch.peaks, batch.blacklist, batch.elements) == (None, None, None)
    batch = _windows(dataset, ("A",), ("blacklist",))[0]
    assert (batch.peaks, batch.elements) == (None, None)


def test_windows_in_any_order(region_files, tmp_path):
    windows = _windows(build(region_files.manifest(), WINDOW, tmp_path / "out"), ("A", "B"), ("peaks",))
    order = np.array([9, 2, 14, 2])
    together = windows.__getitems__(order).peaks
    assert all(bool((windows[index].peaks[0] == together[place]).all()) for place, index in enumerate(order))


def test_peaks_called_on_a_signal(region_files, tmp_path):
    cells = region_files.values["cell_types"]
    cells["A"]["peaks"] = {"signal": "dnase", "cutoff": 6.0, "min_length": 20, "max_gap": 5}
    dataset = build(region_files.manifest(), WINDOW, tmp_path / "out")
    values = dataset.signal_values("A")[..., 1].astype(np.float32)
    peaks = _windows(dataset, ("A",), ("peaks",)).__getitems__(np.arange(8)).peaks.numpy()
    assert peaks.any()
    assert (values[peaks] >= 6).mean() > 0.9  # but for the gaps
    assert (peaks == (values >= 6)).mean() > 0.9  # but for gaps and short stretches


def test_peaks_on_a_chromosome_that_the_signal_lacks(region_files, tmp_path):
    region_files.write_text("A.dnase.bedGraph", ["chr1\t0\t6000\t3"])
    region_files.values["cell_types"]["A"]["peaks"] = {"signal": "dnase", "cutoff": 2.0}
    dataset = build(region_files.manifest(), WINDOW, tmp_path / "out")
    peaks = _windows(dataset, ("A",), ("peaks",)).__getitems__(np.arange(8)).peaks.numpy()
    on_chr1 = (dataset.genes["chrom"] == "chr1").to_numpy()
    assert not peaks[~on_chr1].any()
    assert peaks[on_chr1, WINDOW // 2].all()


@pytest.mark.parametrize("jobs", [2])
def test_the_same_bytes_whatever_the_jobs(region_files, tmp_path, jobs):
    one = build(region_files.manifest(), WINDOW, tmp_path / "one")
    two = build(region_files.manifest(), WINDOW, tmp_path / "two", jobs=jobs)
    assert one.about == two.about


def test_regions_change_none_of_the_other_arrays(region_files, genome_files, tmp_path):
    with_regions = build(region_files.manifest(), WINDOW, tmp_path / "one").about.files
    for cell in region_files.values["cell_types"].values():
        del cell["peaks"]
    del region_files.values["blacklist"]
    without = build(region_files.manifest(), WINDOW, tmp_path / "two").about.files
    assert without.items() <= with_regions.items()


@pytest.mark.parametrize(
    ("need", "message"),
    [
        ("peaks", "has no peaks for beta, which the model reads. Add `peaks:` to the cell type in the manifest: a "),
        ("blacklist", "has no blacklist, which the model reads. Set model.blacklist to false; or add"),
        ("elements", "has no elements for beta, which the model reads. Put `elements: {}` in the manifest, and `peaks"),
    ],
)
def test_what_a_dataset_lacks(tiny_dataset, need, message):
    with pytest.raises(DatasetError) as caught:
        _windows(open_dataset(tiny_dataset), ("beta",), (need,), window=64)
    assert message in str(caught.value)


def test_a_dataset_of_before_still_opens(make_dataset, tmp_path):
    path = make_dataset(tmp_path / "old")
    about = json.loads((path / "dataset.json").read_text())
    del about["regions"]
    (path / "dataset.json").write_text(json.dumps(about))
    assert open_dataset(path).about.regions.peaks == ()


def test_a_damaged_mask(region_files, tmp_path):
    build(region_files.manifest(), WINDOW, tmp_path / "out")
    path = tmp_path / "out" / "peaks" / "A.npy"
    path.write_bytes(path.read_bytes().replace(b"(8, 38)", b"(4, 76)"))
    with pytest.raises(DatasetError, match=r"peaks/A.npy is uint8 \(4, 76\) instead of uint8 \(8, 38\)"):
        open_dataset(tmp_path / "out")
