from __future__ import annotations

import importlib.metadata
import sys
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import numpy as np
import pytest

from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.manifest.sources import SignalFile
from epigx.errors import ConfigError
from epigx.genome.formats import load_plugins

TSS = np.array([100, 1500], np.int64)


@pytest.fixture
def readers(genome_files):
    genome_files.write_text("half.bedGraph", ["chr1\t0\t6000\t2"])
    genome_files.write_bigwig("half.bw", [("chr1", 50, 150, 4.0)], {"chr1": 6000})
    return Readers(genome_files.manifest(), 200)


@pytest.mark.parametrize("file", ["half.bedGraph", "half.bw", "loops.bedpe"])
def test_signals_are_zero_on_chromosomes_that_are_not_in_the_file(readers, genome_files, file):
    if file == "loops.bedpe":
        genome_files.write_text(file, ["chr1 0 200 chr1 1400 1600 loop 2"])
    values = readers.values(SignalFile.parse(file), "chr2", TSS, TSS - 100, 200)
    assert values.shape == (2, 200)
    assert values.dtype == np.float32
    assert not values.any()
    assert not holds(readers.signal(SignalFile.parse(file)), "chr2")


def test_bases_without_a_value_are_zero(readers):
    values = readers.values(SignalFile.parse("half.bw"), "chr1", TSS, TSS - 100, 200)
    np.testing.assert_array_equal(values[0], np.r_[np.zeros(50), np.full(100, 4), np.zeros(50)])
    assert not values[1].any()


def test_chromosomes_match_under_other_names(readers):
    spec = SignalFile.parse("half.bw")
    np.testing.assert_array_equal(
        readers.values(spec, "1", TSS, TSS - 100, 200), readers.values(spec, "chr1", TSS, TSS - 100, 200)
    )


def test_the_power_law_applies_to_every_chromosome(readers):
    spec = SignalFile(kind="powerlaw")
    assert holds(readers.signal(spec), "chr77")
    assert (readers.values(spec, "chr77", TSS, TSS - 100, 200) > 0).all()


def test_files_are_opened_once(readers):
    for file in ("half.bw", "loops.bedpe"):
        spec = SignalFile.parse(file)
        assert readers.signal(spec) is readers.signal(spec)
    assert readers.genome is readers.genome


def test_contacts_are_read_with_their_options(readers, genome_files):
    genome_files.write_text("two.bedpe", ["chr1 0 200 chr1 1400 1600 loop 2 7"])
    last = readers.values(SignalFile.parse("two.bedpe"), "chr1", TSS, TSS - 100, 200)
    first = readers.values(SignalFile.parse({"file": "two.bedpe", "column": 8}), "chr1", TSS, TSS - 100, 200)
    assert last.max() == 7
    assert first.max() == 2


def test_one_file_can_be_read_in_two_formats(readers, genome_files):
    genome_files.write_text("peaks.txt", ["chr1\t0\t6000\t2\t0\t.\t9\t-1\t-1\t-1"])
    for kind, value in (("bedgraph", 2), ("narrowpeak", 9)):
        spec = SignalFile(file="peaks.txt", kind=kind)
        assert (readers.values(spec, "chr1", TSS, TSS - 100, 200) == value).all()


def test_a_format_of_another_package_is_read_from_a_manifest(genome_files, monkeypatch):
    class ConstantTrack:
        def __init__(self, path, value):
            self.path, self.chromosomes, self.value = path, {"chr1": None}, value

        def windows(self, chrom, starts, length):
            return np.full((len(starts), length), self.value, np.float32)

    class Constant:
        kind = "constant"
        suffixes = (".const",)
        options = ("times",)

        def open(self, path, *, times=1):
            return ConstantTrack(path, times * float(path.read_text()))

    entry = EntryPoint("constant", "another_package:Constant", "epigx.tracks")
    monkeypatch.setitem(sys.modules, "another_package", SimpleNamespace(Constant=Constant))
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **which: EntryPoints([entry]).select(**which))
    load_plugins.cache_clear()
    try:
        genome_files.write_text("three.const", ["3"])
        genome_files.values["cell_types"]["A"]["signals"]["h3k27ac"] = {"file": "three.const", "times": 2}
        manifest = genome_files.manifest()
        spec = manifest.cell_types["A"].signals["h3k27ac"]
        assert spec.kind == "constant"
        assert not spec.is_contact
        assert SignalFile.parse(spec.model_dump(mode="json")) == spec
        readers = Readers(manifest, 200)
        assert (readers.values(spec, "chr1", TSS, TSS - 100, 200) == 6).all()
        assert not readers.values(spec, "chr2", TSS, TSS - 100, 200).any()
        assert (readers.values(SignalFile.parse("three.const"), "chr1", TSS, TSS - 100, 200) == 3).all()
        with pytest.raises(ConfigError, match=r"unknown key 'time'. Did you mean 'times'?"):
            SignalFile.parse({"file": "three.const", "time": 2})
    finally:
        load_plugins.cache_clear()
