from __future__ import annotations

import numpy as np
import pytest

from epigx.metrics import Estimate, paired_bootstrap
from epigx.report.tables import comparison_table, data_table, drop_table, facts_table, interval, scored_on, verdict


def test_an_interval_has_a_minus_and_not_a_hyphen():
    assert interval(Estimate(-0.01, -0.02, 0.0)) == "−0.010 [−0.020,\N{NO-BREAK SPACE}0.000]"


def test_one_run_has_no_difference(make_run):
    table = comparison_table([make_run()], 50)
    assert table.head == ("Run", "MSE", "MAE", "Pearson r", "Spearman ρ", "Genes")
    assert len(table.rows) == 1
    assert not table.best


def test_the_best_value_of_each_metric_is_marked(make_run):
    table = comparison_table([make_run("good", error=0.2), make_run("bad", error=0.9)], 50)
    assert table.best == {(0, 1), (0, 2), (0, 3), (0, 4)}
    assert comparison_table([make_run(error=0.9), make_run(error=0.2)], 50).best == {(1, 1), (1, 2), (1, 3), (1, 4)}


def test_the_difference_is_to_the_first_run_and_paired_by_gene_whatever_the_order(make_run):
    first, second = make_run("first", error=0.2), make_run("second", error=0.5)
    order = np.random.default_rng(5).permutation(second.n_genes)
    shuffled = make_run(
        "second",
        gene_id=second.gene_id[order],
        observed=second.observed[order],
        predicted=second.predicted[order],
        scores=second.scores,
    )
    cell = comparison_table([first, shuffled], 50).rows[1][-1]
    _, rows = np.unique(first.gene_id.astype(str), return_index=True)
    expected = paired_bootstrap(first.observed[rows], second.predicted[rows], first.predicted[rows], resamples=50)
    assert cell == interval(expected["mse"])


def test_genes_that_only_one_run_has_do_not_count(make_run):
    first, second = make_run("first"), make_run("second")
    part = make_run(
        "second", gene_id=second.gene_id[:40], observed=second.observed[:40], predicted=second.predicted[:40]
    )
    assert comparison_table([first, part], 50).rows[1][-1] == "0.000 [0.000,\N{NO-BREAK SPACE}0.000]"


@pytest.mark.parametrize(("errors", "better"), [((0.2, 0.9), "first"), ((0.9, 0.2), "second")])
def test_the_verdict_names_the_better_run(make_run, errors, better):
    said = verdict([make_run("first", error=errors[0]), make_run("second", error=errors[1])], 200)
    assert said.startswith(f"The MSE of {better} is ")
    assert said.endswith(f"95 % CI of the difference excludes 0: {better} is significantly better on these genes.")


def test_the_verdict_finds_no_difference_between_equal_errors(make_run):
    same = make_run("first")
    other = make_run("second", predicted=2 * same.observed - same.predicted)  # the same errors, with other signs
    expected = "95 % CI of the difference includes 0: no significant difference on these genes."
    assert verdict([same, other], 200).endswith(expected)


def test_only_two_runs_have_a_verdict(make_run):
    assert verdict([make_run()], 50) == verdict([make_run()] * 3, 50) == ""


def test_other_cell_types_of_several_runs_are_listed_by_run(make_run):
    assert scored_on([make_run("a"), make_run("b")]) == ""
    found = scored_on([make_run("a", also_trained_on=("simB", "simC")), make_run("b")])
    assert found == "Scored on simA; a was also trained on simB, simC: choose with --cell-type."


def test_the_drop_table_shows_the_change_of_the_mse(make_run):
    run = make_run(
        drops={
            (): {**make_run().scores, "mse": Estimate(0.2, 0.1, 0.3)},
            ("hic",): {**make_run().scores, "mse": Estimate(0.15, 0.1, 0.2)},
        }
    )
    table = drop_table(run)
    assert [row[0] for row in table.rows] == ["all signals", "no hic"]
    assert [row[-1] for row in table.rows] == ["", "−25.0%"]


def test_no_change_has_no_sign(make_run):
    run = make_run()
    almost = {**run.scores, "mse": Estimate(run.scores["mse"].value * 0.9999, 0, 1)}
    assert drop_table(make_run(drops={(): run.scores, ("hic",): almost})).rows[1][-1] == "0.0%"


def test_facts_are_side_by_side_and_differences_bold():
    table = facts_table("Setting", {"a": {"seed": "2", "lr": "0.1"}, "b": {"seed": "22", "lr": "0.1", "alpha": "1"}})
    assert table.head == ("Setting", "a", "b")
    assert table.rows == (("seed", "2", "22"), ("lr", "0.1", "0.1"), ("alpha", "–", "1"))
    assert table.best == {(0, 1), (0, 2), (2, 1), (2, 2)}


def test_the_data_table_counts_labels(data):
    known = int(np.isfinite(data.expression["simA"]).sum())
    table = data_table(data)
    signals = ("h3k27ac: bases > 0", "dnase: bases > 0")
    assert table.head == ("Cell type", *signals, "Genes with a label", "Without a label")
    assert table.rows == (("simA", "90.0%", "25.0%", str(known), str(80 - known)),)
