"""The report shows the results of the other commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import yaml


@pytest.fixture
def page(epigx, tmp_path):
    """Return a function that writes a report and reads it back."""

    def write(*words):
        out = tmp_path / "page.html"
        ended = epigx("report", *words, "-o", out, "--bootstrap", 40, "--force")
        assert ended.status == 0, ended.err
        return out.read_text()

    return write


def test_scores_are_those_of_evaluate(epigx, run, page):
    scores = json.loads(epigx("evaluate", run, "--bootstrap", 40, "--json").out)
    low, high = scores["intervals"]["mse"]
    html = page(run)
    assert f"<b>{scores['mse']:.3f}</b><span>95 % interval {low:.3f} to {high:.3f}</span>" in html
    dropped = json.loads(epigx("evaluate", run, "--bootstrap", 40, "--json", "--drop", "hic").out)
    row = re.search(r"<tr><td>no hic</td>\s*<td>([^<]*)</td>", html)
    assert row
    assert row[1].startswith(f"{dropped['mse']:.3f} [")


def test_curves_and_settings_are_those_of_the_run(run, page):
    html = page(run)
    log = pd.read_csv(run / "log.csv")
    provenance = json.loads((run / "provenance.json").read_text())
    assert f"kept: step {provenance['best_step']:,}" in html
    assert len(log) > 1
    for name, value in (("objective.alpha", "1.0"), ("model.backbone.d_model", "8"), ("data.signals", "null")):
        assert re.search(rf"<td>{re.escape(name)}</td>\s*<td>{re.escape(value)}</td>", html)
    assert provenance["dataset_hash"] in html
    assert provenance["kernel_why"].replace("'", "&#39;") in html


def test_another_cell_type_and_split(epigx, run, page):
    html = page(run, "--cell-type", "simB", "--split", "valid")
    scores = json.loads(
        epigx("evaluate", run, "--bootstrap", 0, "--json", "--cell-type", "simB", "--split", "valid").out
    )
    assert f"<b>{scores['mse']:.3f}</b>" in html
    assert "Scores on the valid genes" in html


def test_a_run_on_two_cell_types_is_scored_on_the_first(epigx, run, tmp_path):
    data = yaml.safe_load((run / "config.yaml").read_text())["data"]["path"]
    both = ("--cell-type", "simA", "--cell-type", "simB")
    trained = epigx("train", "ridge", "--data", data, *both, "-o", tmp_path / "r")
    assert trained.status == 0, trained.err
    out = tmp_path / "page.html"
    ended = epigx("report", tmp_path / "r", "-o", out, "--bootstrap", 5)
    assert ended.status == 0, ended.err
    sentence = "Scored on simA; the run was also trained on simB: choose with --cell-type."
    assert sentence in ended.err
    assert sentence in out.read_text()
    scores = json.loads(epigx("evaluate", tmp_path / "r", "--bootstrap", 0, "--json", "--cell-type", "simA").out)
    assert f"<b>{scores['mse']:.3f}</b>" in out.read_text()


def test_imported_weights_are_reported_without_curves(epigx, shared_fixtures, refused, tmp_path):
    prism = tmp_path / "prism"
    assert epigx("import", "prism", shared_fixtures / "prism_seed0.lightning.ckpt", "-o", prism).status == 0
    said = refused("report", prism, "-o", tmp_path / "page.html")
    assert "does not name its dataset" in said


def test_the_reader_of_predictions_may_stop_early(epigx, dataset, tmp_path):
    assert epigx("train", "activity", "--data", dataset, "--cell-type", "simA", "-o", tmp_path / "run").status == 0
    command = f"{sys.executable} -m epigx --quiet predict {tmp_path / 'run'} | head -n 1"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.stdout.startswith("gene_id\t")
    assert ended.stderr == ""
    assert ended.returncode == 0
