from __future__ import annotations

import pytest

from epigx.dataset.manifest.sources import ElementSource, PeakSource
from epigx.errors import ConfigError


def test_a_path_is_short_for_a_file():
    assert PeakSource.parse("k562.narrowPeak") == PeakSource(file="k562.narrowPeak")


def test_the_rule_has_the_values_that_were_set():
    assert PeakSource(signal="dnase", cutoff=2).rule() == {"cutoff": 2.0}
    assert PeakSource(signal="dnase", cutoff=2, max_gap=0).rule() == {"cutoff": 2.0, "max_gap": 0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "give either a file of peaks, or a signal to call them from"),
        (
            {"file": "a.bed", "signal": "dnase", "cutoff": 1},
            "give either a file of peaks, or a signal to call them from",
        ),
        (
            {"file": "a.bed", "cutoff": 1},
            "cutoff, min_length, max_gap and caller apply to peak calling from a signal, not",
        ),
        ({"signal": "dnase"}, "peak calling needs a cutoff, the lowest raw signal value inside a peak"),
        ({"signal": "dnase", "cutoff": 0}, "cutoff: Input should be greater than 0"),
        ({"signal": "dnase", "cutoff": 1, "caller": "macs2"}, "caller: Input should be 'threshold' or 'macs3'"),
        ({"signal": "dnase", "cutof": 1}, "unknown key 'cutof'. Did you mean 'cutoff'?"),
    ],
)
def test_sources_that_cannot_work(values, message):
    with pytest.raises(ConfigError) as caught:
        PeakSource.parse(values)
    assert message in str(caught.value)


@pytest.mark.parametrize("values", [{"count": 0}, {"reach": 10}, {"length": 501}, {"length": 498}])
def test_elements_that_cannot_work(values):
    with pytest.raises(ConfigError):
        ElementSource.parse(values)


@pytest.mark.parametrize("peaks", ["A.narrowPeak", {"signal": "dnase", "cutoff": 2.0}])
def test_overriding_a_key_of_a_manifest_keeps_its_peaks(region_files, peaks):
    region_files.values["cell_types"]["A"]["peaks"] = peaks
    manifest = region_files.manifest()
    assert manifest.override("orient=strand").cell_types == manifest.cell_types
    assert ("A.narrowPeak" in manifest.files()) == (peaks == "A.narrowPeak")
