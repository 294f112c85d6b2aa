from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace

import pytest

from epigx.errors import ConfigError, InputError
from epigx.genome.contacts.contacts import open_contacts
from epigx.genome.formats import find_format, format_kinds, format_of_file, load_plugins, require_format
from epigx.genome.tracks.tracks import open_track

WIG = SimpleNamespace(kind="wig", suffixes=(".WIG",), open=lambda path, **options: (path, options))


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points of other packages; those appended here replace the installed ones."""
    entries: list[EntryPoint] = []
    load_plugins.cache_clear()
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **which: EntryPoints(entries).select(**which))
    yield entries
    load_plugins.cache_clear()


def add(
    plugins: list[EntryPoint], monkeypatch: pytest.MonkeyPatch, plugin: object, group: str = "epigx.tracks"
) -> None:
    monkeypatch.setitem(sys.modules, "another_package", SimpleNamespace(plugin=plugin))  # type: ignore[misc]
    plugins.append(EntryPoint("a_format", "another_package:plugin", group))


@pytest.mark.parametrize(
    ("file", "kind"),
    [("a.bigWig", "bigwig"), ("a.BW", "bigwig"), ("a.x.bdg.gz", "bedgraph"), ("a.narrowPeak.bgz", "narrowpeak")],
)
def test_the_suffix_determines_the_format(file: str, kind: str) -> None:
    row = format_of_file(file)
    assert row is not None
    assert row.kind == kind


@pytest.mark.parametrize("file", ["a.txt", "bigwig", "a.cool.txt"])
def test_other_suffixes_have_no_format(file: str) -> None:
    assert format_of_file(file) is None


def test_kinds_by_content(plugins: list[EntryPoint]) -> None:
    assert format_kinds("track") == ["bedgraph", "bigwig", "narrowpeak"]
    assert format_kinds("contacts") == ["bedpe", "cool", "hic", "mcool", "powerlaw"]
    assert format_kinds() == sorted(format_kinds("track") + format_kinds("contacts"))


def test_a_file_with_other_content_is_refused() -> None:
    with pytest.raises(InputError, match=r"k562\.hic is a contact map \(hic\), not a genomic track. Use another file"):
        open_track("k562.hic")
    with pytest.raises(InputError, match=r"a\.bw is a genomic track \(bigwig\), not a contact map. Use another file"):
        open_contacts("a.bw", "bigwig")


def test_a_file_without_a_known_suffix_is_refused(plugins: list[EntryPoint]) -> None:
    with pytest.raises(
        InputError, match=r"a\.txt: the suffix matches no known format. Set its kind to one of bedgraph"
    ):
        open_track("a.txt")


def test_a_package_adds_a_format(plugins: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    add(plugins, monkeypatch, WIG)
    assert "wig" in format_kinds("track")
    row = format_of_file("a.wig.gz")
    assert row is not None
    assert row == find_format("wig") == require_format("a.wig", None, "track")
    path, options = row.open("a.wig", span=5)
    assert (path.name, options) == ("a.wig", {"span": 5})


def test_a_package_adds_contacts_as_a_class(plugins: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    class Pairs:
        kind = "pairs"
        suffixes = (".pairs",)
        options = ("bin",)

        def open(self, path: object, *, band: int, bin: int = 1) -> tuple[int, int]:
            return band, bin

    add(plugins, monkeypatch, Pairs, "epigx.contacts")
    assert open_contacts("a.pairs", band=7, bin=3) == (7, 3)
    assert "pairs" in format_kinds("contacts")


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (
            SimpleNamespace(kind="wig"),
            r"'a_format' \(another_package:plugin\) in the group epigx.tracks cannot be used: ",
        ),
        (SimpleNamespace(kind="hic", suffixes=(), open=open), "has the kind 'hic', which another file format uses"),
    ],
)
def test_a_package_with_a_wrong_format_is_named(
    plugins: list[EntryPoint], monkeypatch: pytest.MonkeyPatch, plugin: object, message: str
) -> None:
    add(plugins, monkeypatch, plugin)
    with pytest.raises(ConfigError, match=message):
        find_format("wig")


def test_a_package_that_cannot_be_imported_is_named(plugins: list[EntryPoint]) -> None:
    plugins.append(EntryPoint("wig", "no_such_package:Wig", "epigx.tracks"))
    with pytest.raises(ConfigError, match=r"cannot be used: No module named 'no_such_package'.*update or uninstall"):
        find_format("wig")


def test_built_in_formats_need_no_plugins_and_no_heavy_imports() -> None:
    code = """
import sys
from epigx.genome.formats import format_of_file
assert format_of_file("a.bw").kind == "bigwig"
heavy = {"torch", "numpy", "pandas", "pybigtools", "hictkpy", "importlib.metadata"} & set(sys.modules)
print(sorted(heavy))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
