from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from epigx.metrics import Estimate
from epigx.report import figures
from epigx.report.drawing import BLUE, ORANGE, svg


def _texts(figure):
    return [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text")) if text.get_text()]


def test_learning_curves_name_the_terms_as_the_paper_does_and_mark_the_kept_step(make_run):
    run = make_run()
    figure = figures.learning_curves(run.losses, run.validation, run.chosen)
    loss, diversity, right = figure.axes
    assert [t.get_text() for t in loss.get_legend().get_texts()] == ["L₁ prediction"]
    assert [t.get_text() for t in diversity.get_legend().get_texts()] == ["L₃ diversity"]
    marked = right.lines[1]
    assert (marked.get_xdata()[0], marked.get_ydata()[0]) == (100, 0.4)
    assert "kept: step 100" in _texts(figure)


def test_learning_curves_do_without_diversity_and_without_a_kept_step():
    losses = pd.DataFrame({"compression": [1.0, 0.5], "total": [1.0, 0.5]}, index=[1, 2])
    figure = figures.learning_curves(losses, pd.Series([0.5, 0.4], index=[1, 2]), None)
    assert [len(axes.lines) for axes in figure.axes] == [1, 1]
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["compression"]


def test_every_gene_is_in_the_hexagons(make_run):
    run = make_run()
    figure = figures.predicted_observed(run.observed, run.predicted, run.scores)
    (hexagons,) = figure.axes[0].collections
    assert hexagons.get_array().sum() == run.n_genes
    text = "\n".join(_texts(figure))
    for name in ("r = ", "ρ = ", "MSE = ", "MAE = "):
        assert name in text
    assert f"MSE = {run.scores['mse'].value:.3f} [" in text


def test_predictions_that_do_not_vary_can_be_drawn():
    scores = {"mse": Estimate(1.0, 0.9, 1.1), "pearson": Estimate(np.nan, np.nan, np.nan)}
    figure = figures.predicted_observed(np.zeros(5), np.zeros(5), scores)
    assert svg(figure, "flat").startswith("<svg")


def test_bars_have_the_length_the_label_and_the_colour_of_their_arm(make_run):
    run = make_run()
    figure = figures.signal_drop({"all": run.drops[()], "no h3k27ac": run.drops["h3k27ac",]}, [BLUE, ORANGE])
    left, right = figure.axes
    for axes, metric in ((left, "mse"), (right, "pearson")):
        widths = [bar.get_width() for bar in axes.patches]
        assert widths == pytest.approx([run.drops[arm][metric].value for arm in ((), ("h3k27ac",))])
    assert [to_hex(bar.get_facecolor()) for bar in left.patches] == [BLUE, ORANGE]
    assert [t.get_text() for t in left.get_yticklabels()] == ["all", "no h3k27ac"]


def test_patterns_share_one_scale_and_one_order():
    weights = np.linspace(0, 1, 24).reshape(4, 2, 3)
    figure = figures.patterns(weights[::-1], np.full(4, 0.5))
    first, second = (axes.images[0] for axes in figure.axes[:2])
    assert first.get_clim() == second.get_clim() == (0, 1)
    assert (np.diff(first.get_array(), axis=0) > 0).all()  # genes from the lowest mean weight to the highest
    np.testing.assert_array_equal(first.get_array(), weights[:, 0])


def test_equal_patterns_can_be_drawn():
    assert svg(figures.patterns(np.full((5, 1, 4), 0.5), np.ones(5)), "alike").startswith("<svg")


def test_coverage_names_the_cell_type_only_where_there_are_several():
    one = figures.coverage({"K562": {"dnase": 0.5}})
    two = figures.coverage({"K562": {"dnase": 0.5}, "HepG2": {"dnase": 1.0}})
    assert [t.get_text() for t in one.axes[0].get_yticklabels()] == ["dnase"]
    assert [t.get_text() for t in two.axes[0].get_yticklabels()] == ["dnase · K562", "dnase · HepG2"]
    assert [bar.get_width() for bar in two.axes[0].patches] == [50, 100]


def test_the_histogram_counts_only_labels(data):
    figure = figures.expression_histogram(data.expression)
    known = np.isfinite(data.expression["simA"]).sum()
    outline = figure.axes[0].patches[0].get_path().vertices
    assert outline[:, 1].max() <= known
    assert svg(figures.expression_histogram({"none": np.full(3, np.nan)}), "empty").startswith("<svg")


def test_split_bars_stack_genes_without_a_label(data):
    bars = figures.split_bars(data.genes, data.unlabelled).axes[0].patches
    widths = np.array([bar.get_width() for bar in bars]).reshape(2, 3)
    assert widths.sum(axis=0).tolist() == [60, 10, 10]
    assert widths[1].tolist() == [5, 1, 0]


def test_comparison_has_a_row_for_each_run(make_run):
    runs = [make_run("a"), make_run("b", error=0.6)]
    figure = figures.comparison({run.name: run.scores for run in runs})
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a", "b"]
    points = [line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert points == [run.scores["mse"].value for run in runs]
