from __future__ import annotations

import numpy as np
import pytest
import torch

from epigx.dataset import window_grid
from epigx.dataset.build.build import build
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.genome.contacts.powerlaw import power_law
from epigx.genome.peaks.elements import candidates
from epigx.genome.peaks.peaks import on_chromosome, read_peaks
from epigx.genome.sequence import Genome, one_hot
from epigx.genome.tracks.tracks import open_track

COUNT, LENGTH = 4, 500


@pytest.fixture
def element_files(region_files):
    """Few peaks, so that some elements stand apart."""
    for cell, shift in (("A", 0), ("B", 137)):
        rows = [f"chr1\t{at + shift}\t{at + shift + 100}" for at in (300, 1300, 1700, 3200, 3900, 5000)]
        region_files.write_text(f"{cell}.narrowPeak", [*rows, f"chr2\t{700 + shift}\t{800 + shift}"])
    region_files.values["elements"] = {"count": COUNT, "reach": 1500, "length": LENGTH}
    return region_files


def _batch(dataset, cells=("A", "B"), order=None):
    rows = np.arange(len(dataset))
    inputs = fit_inputs(dataset, cells, rows, signals=[], features=[])
    windows = Windows(dataset, cells, rows, inputs, needs=("elements",))
    return windows.__getitems__(np.arange(len(windows)) if order is None else order)


def test_each_element_is_what_the_files_say(element_files, tmp_path):
    dataset = build(element_files.manifest(), 200, tmp_path / "out")
    elements = _batch(dataset).elements
    assert elements.sequence.shape == (16, 1 + COUNT, LENGTH, 4)
    genome = Genome(element_files.folder / "genome.fa")
    seen = 0
    for place, cell in enumerate("AB"):
        h3k27ac = open_track(element_files.folder / f"{cell}.h3k27ac.bigWig", "bigwig")
        dnase = open_track(element_files.folder / f"{cell}.dnase.bedGraph", "bedgraph")
        peaks = read_peaks(element_files.folder / f"{cell}.narrowPeak")
        for row, gene in dataset.genes.iterrows():
            chrom, tss = gene["chrom"], int(gene["tss"])
            bases, features = (x[8 * place + row].numpy() for x in (elements.sequence, elements.features))
            np.testing.assert_array_equal(bases[0], one_hot(genome.bases(chrom, tss - LENGTH // 2, tss + LENGTH // 2)))
            assert not features[0].any()
            found = candidates(on_chromosome(peaks, chrom), genome.sizes[chrom], LENGTH)
            near = found.nearest(tss, count=COUNT, reach=1500, promoter=LENGTH // 2)
            for slot, element in enumerate(near, start=1):
                start, end, center = found.starts[element], found.ends[element], found.centers[element]
                left = start - (center - LENGTH // 2)
                inside = one_hot(genome.bases(chrom, start, end))
                np.testing.assert_array_equal(bases[slot, left : left + end - start], inside)
                assert bases[slot].sum() == inside.sum()
                means = [
                    np.nan_to_num(track.windows(chrom, np.array([start]), int(end - start))).mean()
                    for track in (h3k27ac, dnase)
                ]
                distance = abs(center - tss)
                expected = [distance / 1000, np.log10(1 + power_law(int(distance))), np.sqrt(np.prod(means))]
                np.testing.assert_allclose(features[slot], expected, rtol=1e-5)
                seen += 1
            assert not bases[1 + len(near) :].any()
            assert not features[1 + len(near) :].any()
    assert seen > 10


def test_the_nearest_come_first_and_none_is_of_the_promoter(element_files, tmp_path):
    distance = _batch(build(element_files.manifest(), 200, tmp_path / "out")).elements.features[:, 1:, 0].numpy()
    there = distance > 0
    assert there.sum(axis=1).max() >= 3
    assert (there[:, :-1] >= there[:, 1:]).all()
    assert (distance[:, :-1] <= distance[:, 1:])[there[:, 1:]].all()
    assert (distance[there] > LENGTH / 2000).all()
    assert (distance <= 1.5).all()


def test_contacts_of_a_signal(element_files, tmp_path):
    element_files.values["elements"]["contact"] = "hic"
    dataset = build(element_files.manifest(), 200, tmp_path / "out")
    # The loop of 3.5 joins 1900-2600 with 5500-6000; its other end at the TSS counts, too.
    features = _batch(dataset, ("A",)).elements.features.numpy()
    row = dataset.genes["tss"].tolist().index(2500)
    element = candidates(read_peaks(element_files.folder / "A.narrowPeak").query("chrom == 'chr1'"), 6000, LENGTH)
    near = element.nearest(2500, count=COUNT, reach=1500, promoter=LENGTH // 2)
    inside = [1900 <= center < 2600 or center >= 5500 for center in element.centers[near]]
    np.testing.assert_allclose(features[row, 1 : 1 + len(near), 1], np.where(inside, np.log10(4.5), 0), rtol=1e-5)


def test_minus_strand_genes_can_be_turned(element_files, tmp_path):
    plain = _batch(build(element_files.manifest(), 200, tmp_path / "plain")).elements
    element_files.values["orient"] = "strand"
    dataset = build(element_files.manifest(), 200, tmp_path / "turned")
    turned = _batch(dataset).elements
    assert torch.equal(turned.features, plain.features)
    minus = np.tile((dataset.genes["strand"] == "-").to_numpy(), 2)
    assert torch.equal(turned.sequence[~minus], plain.sequence[~minus])
    assert torch.equal(turned.sequence[minus][:, 1:], plain.sequence[minus][:, 1:].flip(2).flip(3))


@pytest.mark.parametrize("how", ["jobs", "chunks"])
def test_neither_jobs_nor_chunks_matter(element_files, tmp_path, monkeypatch, how):
    one = build(element_files.manifest(), 200, tmp_path / "one")
    if how == "chunks":
        monkeypatch.setattr(window_grid, "MAX_BASES", 1)
    two = build(element_files.manifest(), 200, tmp_path / "two", jobs=2 if how == "jobs" else 1)
    assert one.about == two.about
    assert "elements/A.sequence.npy" in one.about.files


def test_batches_do_not_depend_on_their_order(element_files, tmp_path):
    dataset = build(element_files.manifest(), 200, tmp_path / "out")
    whole, order = _batch(dataset).elements, np.array([12, 3, 9, 3])
    some = _batch(dataset, order=order).elements
    assert torch.equal(some.sequence, whole.sequence[order])
    assert torch.equal(some.features, whole.features[order])


def test_the_window_does_not_matter(element_files, tmp_path):
    short, long = (build(element_files.manifest(), window, tmp_path / str(window)) for window in (60, 400))
    for name in ("elements/B.sequence.npy", "elements/B.features.npy"):
        assert short.about.files[name] == long.about.files[name]


def test_elements_survive_being_opened_again(element_files, tmp_path):
    build(element_files.manifest(), 200, tmp_path / "out")
    dataset = open_dataset(tmp_path / "out")
    assert dataset.about.regions.elements.count == COUNT
    dataset.verify()
