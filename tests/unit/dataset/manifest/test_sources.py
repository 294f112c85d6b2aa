from __future__ import annotations

import pytest

from epigx.dataset.manifest.sources import Expression, FeatureColumn, Features, SignalFile
from epigx.errors import ConfigError


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
def test_the_format_is_determined_from_the_suffix(file, kind):
    assert SignalFile.parse(file) == SignalFile(file=file, kind=kind)


def test_options_are_those_that_were_set():
    spec = SignalFile.parse({"file": "a.mcool", "resolution": 1000, "normalization": "KR"})
    assert spec.options() == {"resolution": 1000, "normalization": "KR"}
    assert spec.is_contact
    assert not SignalFile.parse("a.bw").is_contact
    assert SignalFile.parse("a.bw").options() == {}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            SignalFile,
            "a.txt",
            "the suffix of a.txt matches no known format; set `kind:` to one of bedgraph, bedpe, bigwig, cool",
        ),
        (SignalFile, {"kind": "powerlaw", "file": "a.hic"}, "kind powerlaw takes no file"),
        (SignalFile, {"kind": "bigwig"}, "kind bigwig needs a file"),
        (
            SignalFile,
            {"file": "a.bw", "resolution": 5000},
            "resolution is an option of cool, hic, mcool, not of bigwig",
        ),
        (SignalFile, {"file": "a.hic", "slack": 5}, "slack is an option of bedpe, not of hic"),
        (SignalFile, {"file": "a.bw", "kind": "bigwg"}, "kind: unknown file format 'bigwg'. Did you mean 'bigwig'?"),
        (SignalFile, {"file": "a.hic", "resolutin": 5}, "unknown key 'resolutin'. Did you mean 'resolution'?"),
        (SignalFile, {"fil": "a.hic"}, "unknown key 'fil'. Did you mean 'file'?"),
        (SignalFile, {}, "kind is missing"),
        (Expression, {}, "give either a table (file, column) or CAGE"),
        (Expression, {"file": "a.tsv"}, "give either a table (file, column) or CAGE"),
        (Expression, {"file": "a.tsv", "column": "x", "plus": "p.bw"}, "give either a table"),
        (Expression, {"file": "a.tsv", "column": "x", "minus": "m.bw"}, "also needs the plus strand"),
        (Expression, {"file": "a.tsv", "column": "x", "width": 100}, "width applies to CAGE only"),
        (Expression, {"plus": "p.bw", "transform": "none"}, "transform applies to a table column only"),
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


def test_a_transform_is_short_for_a_feature_column():
    assert FeatureColumn.parse("zscore") == FeatureColumn(transform="zscore")


@pytest.mark.parametrize("name", ["tss", "dna_coverage"])
def test_a_feature_cannot_have_the_name_of_a_gene_column(name):
    with pytest.raises(ConfigError, match=f"{name} is a column of every dataset; .* `column: {name}`"):
        Features.parse({"file": "features.tsv", "columns": {name: "none"}})
    assert Features.parse({"file": "features.tsv", "columns": {"known": {"column": name}}})
