from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.build.readers import Readers, holds
from epigx.dataset.manifest.sources import SignalFile

TSS = np.array([100, 1500], np.int64)


@pytest.fixture
def readers(genome_files):
    genome_files.write_text("half.bedGraph", ["chr1\t0\t6000\t2"])
    genome_files.write_bigwig("half.bw", [("chr1", 50, 150, 4.0)], {"chr1": 6000})
    return Readers(genome_files.manifest(), 200)


@pytest.mark.parametrize("file", ["half.bedGraph", "half.bw", "loops.bedpe"])
def test_a_chromosome_that_the_file_lacks_is_zero(readers, genome_files, file):
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


def test_other_naming_is_understood(readers):
    spec = SignalFile.parse("half.bw")
    np.testing.assert_array_equal(
        readers.values(spec, "1", TSS, TSS - 100, 200), readers.values(spec, "chr1", TSS, TSS - 100, 200)
    )


def test_power_law_knows_every_chromosome(readers):
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


def test_one_file_can_be_read_in_two_ways(readers, genome_files):
    genome_files.write_text("peaks.txt", ["chr1\t0\t6000\t2\t0\t.\t9\t-1\t-1\t-1"])
    for kind, value in (("bedgraph", 2), ("narrowpeak", 9)):
        spec = SignalFile(file="peaks.txt", kind=kind)
        assert (readers.values(spec, "chr1", TSS, TSS - 100, 200) == value).all()
