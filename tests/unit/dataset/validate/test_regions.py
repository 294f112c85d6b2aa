from __future__ import annotations

import pytest

from epigx.dataset.validate import regions
from epigx.dataset.validate.check import check


@pytest.fixture
def said(region_files):
    def find(where: str) -> list[str]:
        problems = check(region_files.manifest(), 300)
        return [f"{problem.level}: {problem.message}" for problem in problems if problem.where == where]

    return find


def test_good_regions_pass(region_files, said):
    assert said("A.narrowPeak") == said("B.narrowPeak") == said("blacklist.bed") == said("A peaks") == []


def test_missing_files(region_files, said):
    (region_files.folder / "A.narrowPeak").unlink()
    (region_files.folder / "blacklist.bed").unlink()
    assert said("A.narrowPeak")[0].startswith("error: ")
    assert "does not exist. Fix the path in the manifest" in said("blacklist.bed")[0]


def test_no_file_of_peaks(region_files, said):
    region_files.write_text("A.narrowPeak", ["chr1 5 four"])
    assert said("A.narrowPeak")[0].startswith("error: ")


def test_other_chromosomes(region_files, said):
    region_files.write_text("A.narrowPeak", ["chr7 5 40"])
    region_files.write_text("B.narrowPeak", ["chr1 0 6000"])
    assert said("A.narrowPeak") == [
        "error: it has none of the genes' chromosomes chr2, chr1; it has chr7. "
        "Use files of one assembly with the same chromosome names."
    ]
    assert said("B.narrowPeak")[0] == (
        "warning: it has no data on chr2 (3 genes): no peak there. "
        "Use a file with all chromosomes, or list the ones to use under `chromosomes`."
    )


def test_peaks_nowhere(region_files, said):
    region_files.write_text("A.narrowPeak", ["chr1 4000 4100", "chr2 2500 2600"])
    assert said("A.narrowPeak") == [
        "warning: no peak overlaps any of 8 windows checked. "
        "Check that it is the right file and of the genes' assembly."
    ]


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        (0, ["warning: 100% of the bases of 3 windows lie in a peak. Check that it is a file of peaks."]),
        (36, ["warning: 96% of the bases of 3 windows lie in a peak. Check that it is a file of peaks."]),
        (90, []),
    ],
)
def test_peaks_nearly_everywhere(region_files, said, gap, message):
    region_files.write_genes([("chr1", 2000, "-"), ("chr1", 2500, "+"), ("chr2", 1500, "+")])  # whole windows
    region_files.write_text("B.narrowPeak", ["chr1 0 1900", f"chr1 {1900 + gap} 6000", "chr2 0 4000"])
    assert said("B.narrowPeak") == message


def test_a_blacklist_nearly_everywhere(region_files, said):
    region_files.write_genes([("chr1", 2000, "-"), ("chr2", 1500, "+")])
    region_files.write_text("blacklist.bed", ["chr1 0 6000", "chr2 0 4000"])
    assert said("blacklist.bed") == [
        "warning: 100% of the bases of 2 windows lie in a region. Check that it is a file of regions."
    ]


def test_a_blacklist_without_a_hit_is_good(region_files, said):
    region_files.write_text("blacklist.bed", ["chr1 4000 4100", "chr2 2500 2600"])
    assert said("blacklist.bed") == []


@pytest.mark.parametrize(
    ("calling", "message"),
    [
        ({"signal": "dnaze", "cutoff": 2}, "error: there is no signal 'dnaze' in `signals`. Did you mean 'dnase'?"),
        (
            {"signal": "hic", "cutoff": 2},
            "error: the signal 'hic' is a contact map, not a genomic track. Use a track such as a bigWig.",
        ),
    ],
)
def test_calling_on_what_is_not_there(region_files, said, calling, message):
    region_files.values["cell_types"]["A"]["peaks"] = calling
    assert said("A peaks") == [message]


def test_calling_by_what_is_not_there(region_files, said, monkeypatch):
    monkeypatch.setattr(regions, "find_macs3", lambda: None)
    region_files.values["cell_types"]["A"]["peaks"] = {"signal": "dnase", "cutoff": 2, "caller": "macs3"}
    assert said("A peaks") == [
        "error: MACS3 is not installed. Install it (pip install 'epigx[peaks]'), or use `caller: threshold`."
    ]


def test_elements_of_what_is_there(region_files, said):
    region_files.values["elements"] = {"contact": "hic"}
    assert said("elements") == []
    region_files.values["elements"] = {}
    assert said("elements") == [
        "notice: contacts are computed from distance by a power law; to use a signal, set `contact:`."
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"contact": "dnase"},
            "error: the signal 'dnase' is a genomic track, not contacts. Use contacts such as a Hi-C file.",
        ),
        ({"contact": "hik"}, "error: there is no signal 'hik' in `signals`. Did you mean 'hic'?"),
        (
            {"contact": "hic", "h3k27ac": "hic"},
            "error: the signal 'hic' is a contact map, not a genomic track. Use a track such as a bigWig.",
        ),
        ({"contact": "hic", "accessibility": "atac"}, "error: there is no signal 'atac' in `signals`."),
    ],
)
def test_elements_of_what_is_not_there(region_files, said, source, message):
    region_files.values["elements"] = source
    assert len(said("elements")) == 1
    assert said("elements")[0].startswith(message)


def test_elements_without_peaks(region_files, said):
    del region_files.values["cell_types"]["B"]["peaks"]
    region_files.values["elements"] = {"contact": "hic"}
    assert said("elements") == ["error: B has no peaks, but elements are made from peaks. Add `peaks:`."]
