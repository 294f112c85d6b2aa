from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("dropped", "label"),
    [((), "all signals"), (("dnase",), "no dnase"), (("h3k27ac", "dnase"), "no signals")],
)
def test_an_arm_is_named_by_what_is_missing(make_run, dropped, label):
    assert make_run().label(dropped) == label


def test_some_of_several_signals_are_named_one_by_one(make_run):
    run = make_run(signals=("h3k27ac", "dnase", "hic"))
    assert run.label(("dnase", "hic")) == "no dnase, hic"
    assert make_run(signals=("dnase",)).label(("dnase",)) == "no dnase"


def test_genes_are_counted(make_run):
    assert make_run().n_genes == 80
