"""From a plan to pages: what is trained, scored, kept and left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pandas as pd
import pytest

from epigx.dataset.store import open_dataset
from epigx.engines.base import Engine, attempt
from epigx.evaluation.evaluate import evaluate
from epigx.paper import Row, ScoreTable, Study, figure4, plan, reproduce, table4, table5, table8
from epigx.paper.scores import predict_test_genes
from epigx.recipes.baselines import boosting, ridge
from epigx.training.network import RATE

QUICK = (
    "training.steps=4", "training.warmup_steps=1", "training.threads=1", "model.backbone.d_model=8",
    "model.backbone.n_layers=1",
)  # fmt: skip


class Here(Engine):
    """Runs tasks in this process; the last ones are lost if asked for."""

    kind: Literal["here"] = "here"
    lost: int = 0

    def run(self, tasks, *, progress=None):
        if self.lost:
            [attempt(task) for task in tasks[: -self.lost]]
            raise KeyboardInterrupt
        return [attempt(task) for task in tasks]


@pytest.fixture(scope="module")
def study(tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    return Study.on(dataset, cell_types=["alpha"], scale="small", seeds=(2, 22), settings=QUICK)


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """Table 5 after an interruption, with what was finished before and after."""
    out = tmp_path_factory.mktemp("out")
    items = [table5(study)]
    with pytest.raises(KeyboardInterrupt):
        reproduce(items, out, engine=Here(lost=1))
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").glob("*/model/weights.safetensors")}
    states = {run.name: run.state for run in plan(items, out / "runs")}
    outcomes = reproduce(items, out, engine=Here(), command="epigx reproduce table5")
    return out, before, states, outcomes


def test_what_was_finished_before_an_interruption_is_not_done_again(made):
    _, before, states, outcomes = made
    assert sorted(states.values()) == ["done", "done", "done", "to do"]
    assert sorted(outcome.state for outcome in outcomes) == ["done", "skipped", "skipped", "skipped"]
    assert len(before) == 3
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_scores_are_those_of_evaluate(made, study):
    out, *_ = made
    table = pd.read_csv(out / "table5" / "table5.tsv", sep="\t").set_index(["group", "system"])
    assert (table["seeds"] == 2).all()
    names = table5(study).rows[0].system.runs
    expected = [evaluate(out / "runs" / name, drop=["dnase"], bootstrap=0).metrics.mse for name in names]
    found = table.loc[("Caduceus w/ signals", "Drop dnase")]
    assert found["mse"] == pytest.approx(sum(expected) / 2)
    assert found["mse_sd"] == pytest.approx(abs(expected[0] - expected[1]) / 2**0.5)
    whole = table.loc[("Caduceus w/ signals", "All signals")]
    assert found["mse_difference"] == pytest.approx(found["mse"] - whole["mse"])
    assert pd.isna(whole["mse_difference"])


def test_predictions_are_kept_and_used(made, study):
    out, *_ = made
    row = table5(study).rows[0]
    table = predict_test_genes(row, study.dataset, out)
    assert list(table) == ["observed", "2", "22"]
    kept = next((out / "predictions").glob(f"{next(iter(row.system.runs))}-without-h3k27ac.parquet"))
    changed = pd.read_parquet(kept).assign(predicted=7.0)
    changed.to_parquet(kept)
    assert (predict_test_genes(row, study.dataset, out)["2"] == 7).all()
    kept.unlink()
    assert predict_test_genes(row, study.dataset, out).equals(table)


def test_runs_that_are_not_trained_leave_a_gap_that_is_explained(made, study):
    out, *_ = made
    rows = {result.row.label: result for result in table4(study).score(out, {})}
    assert rows["No signals"].missing == "2 of 2 runs are not trained."
    assert not rows["No signals"].scores
    assert len(rows["All signals"].scores) == 2  # shared with Table 5
    name = next(iter(rows["No signals"].row.system.runs))
    failed = table4(study).score(out, {name: "It diverged."})
    assert failed[0].missing == "It diverged."


def test_a_failed_run_is_reported_and_stops_no_other(study, tmp_path):
    class Broken(Here):
        kind: Literal["broken"] = "broken"

        def run(self, tasks, *, progress=None):
            from epigx.engines.base import failed

            return [failed(task, "The disk is full.") for task in tasks]

    outcomes = reproduce([table5(study)], tmp_path, engine=Broken())
    assert {outcome.state for outcome in outcomes} == {"failed"}
    assert "The disk is full." in (tmp_path / "table5" / "table5.md").read_text()


def test_the_genes_of_figure_4_have_predictions(made, study):
    out, *_ = made
    found = figure4(study).find_genes(out)
    assert len(found) == 2
    gene = found[0]
    assert {label: len(values) for label, values in gene.predicted.items()} == {"Caduceus w/ signals": 2, "InFER": 2}
    assert gene.window == 128
    assert all(len(values) == 128 for values in gene.signals.values())
    labels = study.dataset.genes.set_index("gene_id")["expression:alpha"]
    assert gene.observed == pytest.approx(labels[gene.gene_id])


def test_parameters_need_no_study(tmp_path):
    assert reproduce([table8()], tmp_path, engine=Here()) == []
    assert (tmp_path / "table8" / "table8.html").is_file()


def test_baselines_are_runs_and_scored_like_networks(study, tmp_path):
    recipes = {"Ridge": ridge, "Gradient boosting": boosting}
    rows = [Row(label, "alpha", study.system(recipe, "alpha", window=128)) for label, recipe in recipes.items()]
    table = ScoreTable(
        "table1", "Table 1", "Baselines.", study, (*rows[:1], *(replace(row, baseline=True) for row in rows[1:]))
    )
    outcomes = reproduce([table], tmp_path, engine=Here())
    assert [outcome.state for outcome in outcomes] == ["done", "done"]
    assert {path.name for path in (tmp_path / "runs").iterdir() if path.is_dir()} >= {o.name for o in outcomes}
    found = pd.read_csv(tmp_path / "table1" / "table1.tsv", sep="\t").set_index("system")
    for row in rows:
        (name,) = row.system.runs
        expected = evaluate(tmp_path / "runs" / name, bootstrap=0).metrics
        assert found["mse"][row.label] == pytest.approx(expected.mse)
    assert found["mse_difference"]["Ridge"] == pytest.approx(found["mse"]["Ridge"] - found["mse"]["Gradient boosting"])
    assert [outcome.state for outcome in reproduce([table], tmp_path, engine=Here())] == ["skipped", "skipped"]


def test_a_plan_names_each_run_once_seeds_outermost(study, tmp_path):
    found = plan([table5(study), table4(study)], tmp_path)
    assert [run.config.method.training.seed for run in found] == [2] * 6 + [22] * 6
    assert len({run.name for run in found}) == 12
    assert {run.state for run in found} == {"to do"}


def test_the_cost_is_the_rules(study):
    infer = replace(table5(study).rows[-1].system, parameters={"model": 1_000})
    # Three predictions of InFER, four steps.
    assert infer.cpu_hours == pytest.approx(6 * 1_000 * 128 * 8 * 3 * 4 / RATE / 3600)
    plain = replace(table5(study).rows[0].system, parameters={"model": 1_000})
    assert plain.cpu_hours == pytest.approx(infer.cpu_hours / 3)


def test_an_untrained_system_has_no_predictions(study, tmp_path):
    row = Row("x", "alpha", table5(study).rows[0].system)
    assert predict_test_genes(row, study.dataset, tmp_path).empty
