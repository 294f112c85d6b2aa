"""`epigx reproduce`: the list of runs, a table from end to end, and invalid calls."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from epigx import paper
from epigx.cli.reproduce import NAMES

QUICK = (
    "--scale", "small", "--cell-type", "alpha", "--seeds", "2", "--set", "training.steps=4",
    "--set", "model.backbone.d_model=8", "--set", "model.backbone.n_layers=1",
)  # fmt: skip


def test_every_table_and_figure_has_a_name():
    assert set(NAMES) == {name for name in paper.__all__ if name.startswith(("table", "figure"))}


def test_a_table_is_made_and_not_made_twice(epigx, tiny_dataset, tmp_path):
    words = ("reproduce", "table5", "--data", tiny_dataset, *QUICK, "--jobs", 1, "-o", tmp_path / "out")
    listed = json.loads(epigx(*words, "--dry-run", "--json").out)
    assert [run["state"] for run in listed] == ["to do", "to do"]
    assert listed[0]["steps"] == 4
    ended = epigx(*words)
    assert ended.status == 0, ended.err
    page = tmp_path / "out" / "table5" / "table5.html"
    assert ended.out.strip() == str(page)
    assert "Table 5. Signals removed at test time" in page.read_text()
    assert "--set training.steps=4" in page.read_text()
    table = pd.read_csv(page.with_suffix(".tsv"), sep="\t")
    assert set(table["seeds"]) == {1}
    again = epigx(*words, "--json")
    assert {run["state"] for run in json.loads(again.out)["runs"]} == {"skipped"}
    ended = epigx(*words, "--dry-run")
    assert ended.status == 0, ended.err
    assert ended.out.count("  done") == 2
    assert "2 runs: 2 done, 0 to do" in ended.err


def test_parameters_are_counted_without_data(epigx, tmp_path):
    ended = epigx("reproduce", "table8", "-o", tmp_path / "out")
    assert ended.status == 0, ended.err
    assert "585,681" in (tmp_path / "out" / "table8" / "table8.md").read_text()


def test_all_tables_and_figures_share_the_runs_that_a_dry_run_lists(epigx, tiny_dataset, tmp_path):
    ended = epigx(
        "reproduce", "all", "--data", tiny_dataset, "--scale", "small", "--seeds", "2", "--dry-run", "-o", tmp_path
    )
    names = [line.split()[0] for line in ended.out.splitlines()[1:]]
    assert len(set(names)) == len(names) > 40
    assert "CPU-hours are a rough estimate" in ended.err
    assert "Left out: EPInformer (table1, alpha)" in ended.err
    assert epigx("reproduce", "table9", "-o", tmp_path).status == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["table5"], r"table5 needs a dataset\. Add --data FOLDER"),
        (["table5", "--data", "DATA", "--seeds", "2,x"], "--seeds '2,x' is not a list of whole numbers"),
        (["table5", "--data", "DATA", "--cell-type", "bare"], r"no gene of the test .* has a label in bare"),
        (["table5", "--data", "DATA", "--set", "training.stepz=3"], r"unknown key 'stepz'\. Did you mean 'steps'\?"),
        (["table5", "--data", "DATA", "--jobs", "0"], "--jobs 0: jobs"),
        (["table5", "--data", "DATA", "--set", "engine.partitoin=x"], "unknown key 'partitoin'"),
    ],
)  # fmt: skip
def test_invalid_calls_are_refused(refused, tiny_dataset, tmp_path, words, message):
    said = refused("reproduce", *(tiny_dataset if word == "DATA" else word for word in words), "-o", tmp_path / "out")
    assert re.search(message, said)
