from __future__ import annotations

from typing import get_args

import pytest

from epigx.dataset.manifest import sources
from epigx.dataset.manifest.sources import Expression, FeatureColumn, Features, SignalFile
from epigx.errors import ConfigError
from epigx.genome.contacts.contacts import ContactsKind
from epigx.genome.tracks.tracks import TrackKind


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("a.bigWig", "bigwig"),
        ("a.bw", "bigwig"),
        ("a.bedGraph.gz", "bedgraph"),
        ("a.narrowPeak.gz", "narrowpeak"),
        ("a.hic", "hic"),
        ("a.mcool", "mcool"),
        ("K562.chr22.5kb.cool", "cool"),
        ("a.loops.bedpe.gz", "bedpe"),
    ],
)
def test_kind_is_told_from_the_name(file, kind):
    assert SignalFile.parse(file) == SignalFile(file=file, kind=kind)


def test_kinds_are_those_that_can_be_read():
    assert set(get_args(sources.TrackKind)) == set(get_args(TrackKind))
    assert set(get_args(sources.ContactKind)) == set(get_args(ContactsKind))


def test_options_are_those_that_were_given():
    spec = SignalFile.parse({"file": "a.mcool", "resolution": 1000, "normalization": "KR"})
    assert spec.options() == {"resolution": 1000, "normalization": "KR"}
    assert spec.is_contact
    assert not SignalFile.parse("a.bw").is_contact
    assert SignalFile.parse("a.bw").options() == {}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (SignalFile, "a.txt", "the kind of a.txt cannot be told from its name; give `kind:`, one of bedgraph"),
        (SignalFile, {"kind": "powerlaw", "file": "a.hic"}, "kind powerlaw takes no file"),
        (SignalFile, {"kind": "bigwig"}, "kind bigwig needs a file"),
        (
            SignalFile,
            {"file": "a.bw", "resolution": 5000},
            "resolution is an option of hic, cool, mcool, and not of bigwig",
        ),
        (SignalFile, {"file": "a.hic", "slack": 5}, "slack is an option of bedpe, and not of hic"),
        (Expression, {}, "give either a table (file, column) or CAGE"),
        (Expression, {"file": "a.tsv"}, "give either a table (file, column) or CAGE"),
        (Expression, {"file": "a.tsv", "column": "x", "plus": "p.bw"}, "give either a table"),
        (Expression, {"file": "a.tsv", "column": "x", "minus": "m.bw"}, "needs that of the plus strand"),
        (Expression, {"file": "a.tsv", "column": "x", "width": 100}, "width is for CAGE"),
        (Expression, {"plus": "p.bw", "transform": "none"}, "transform is for a table column"),
        (FeatureColumn, {"transform": "log10zscore", "minimum": None}, "needs a minimum of 0 or more"),
        (Features, {"file": "a.tsv"}, "file and columns go together"),
        (Features, {"columns": {"a": "none"}}, "file and columns go together"),
        (
            Features,
            {"file": "a.tsv", "columns": {"promoter_activity": "none"}, "promoter_activity": {}},
            "promoter_activity is both a column and computed",
        ),
    ],
)
def test_values_that_cannot_work(kind, values, message):
    with pytest.raises(ConfigError) as error:
        kind.parse(values)
    assert message in str(error.value)


def test_a_word_is_short_for_a_feature_column():
    assert FeatureColumn.parse("zscore") == FeatureColumn(transform="zscore")


@pytest.mark.parametrize("name", ["tss", "dna_coverage"])
def test_a_feature_does_not_take_the_place_of_a_column_of_the_genes(name):
    with pytest.raises(ConfigError, match=f"{name} is a name that every dataset has already; .* `column: {name}`"):
        Features.parse({"file": "features.tsv", "columns": {name: "none"}})
    assert Features.parse({"file": "features.tsv", "columns": {"known": {"column": name}}})
