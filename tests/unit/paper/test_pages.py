"""How tables and figures are laid out, marked, written and drawn."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from epigx.metrics import Estimate, Metrics
from epigx.paper import GenePanel, Published, Row, ScoreTable, System, table8
from epigx.paper.figures import curves, gene_panel, marks
from epigx.paper.gene_panel import PanelGene
from epigx.paper.pages import markdown, write_page
from epigx.paper.published import own_cell_type
from epigx.paper.scores import RowResult, score_frame, score_table
from epigx.recipes.models import infer

COMMAND = "epigx reproduce table0"


def study(assembly="hg38", seeds=(2, 22), settings=("training.steps=9",)):
    dataset = SimpleNamespace(path="data/k562", about=SimpleNamespace(assembly=assembly))
    return SimpleNamespace(dataset=dataset, seeds=seeds, scale="small", settings=settings)


SYSTEM = System({"run": infer(data="data/k562", cell_type="K562")}, {}, 1)
PRINTED = Published(0.2, 0.3, None, 0.01, None, None)


def scored(label, mse, *, pearson=0.5, group="", cell_type="K562", seeds=2, baseline=False, x=None, printed=PRINTED):
    row = Row(label, cell_type, SYSTEM, group, baseline=baseline, x=x, published=printed)
    scores = tuple(
        Metrics({"mse": mse + 0.01 * n, "mae": mse / 2, "pearson": pearson, "spearman": 0.4}, 50) for n in range(seeds)
    )
    difference = {} if baseline else {name: Estimate(0.1, -0.05, 0.2) for name in ("mse", "mae", "pearson", "spearman")}
    return RowResult(row, scores, difference)


def contents(*rows, simulated=False, seeds=(2, 22), settings=("training.steps=9",)):
    made = study("simulated" if simulated else "hg38", seeds, settings)
    return ScoreTable("table0", "Table 0. Try", "A caption.", made, ()).layout(rows, COMMAND)


@pytest.fixture
def rows():
    gap = RowResult(Row("Gap", "K562", System(reason="No peaks.")), (), {}, "No peaks.")
    return scored("A", 0.30), scored("B", 0.10, pearson=0.7), scored("C | c", 0.20, baseline=True), gap


def test_the_table_has_the_papers_number_next_to_ours(rows):
    table = score_table(rows)
    assert table.head[:4] == ("System", "bp", "MSE", "paper, K562")
    assert table.head[-1] == "r, difference to C | c"
    row = dict(zip(table.head[-3:], table.rows[0][-3:], strict=True))
    assert table.rows[0][:4] == ("A", "2,000", "0.3050 ± 0.0071", "0.2000 ± 0.0100")
    assert row == {"Seeds": "2", "MSE, difference to C | c": "+0.100 [−0.050,\xa00.200]",
                   "r, difference to C | c": "+0.100 [−0.050,\xa00.200]"}  # fmt: skip
    assert table.rows[2][-2:] == ("", "")
    assert table.rows[3][:4] == ("Gap", "", "–", "")
    assert all(len(line) == len(table.head) for line in table.rows)


def test_the_best_and_the_second_are_marked(rows):
    table = score_table(rows)
    assert table.best == {(1, 2), (1, 4), (1, 6)}
    assert (2, 2) in table.second
    assert len(table.second) == 3


def test_rows_are_ranked_within_their_group_where_there_is_something_to_rank():
    rows = tuple(scored(name, mse, group=group) for group, name, mse in [
        ("g", "a", 0.3), ("g", "b", 0.2), ("g", "c", 0.4), ("h", "a", 0.1), ("h", "b", 0.05),
    ])  # fmt: skip
    found = score_table(rows)
    assert found.head[0] == "Group"
    assert {cell for cell in found.best if cell[1] == 3} == {(1, 3)}


def test_numbers_of_a_single_seed_have_no_deviation():
    (row,) = score_table([scored("A", 0.3, seeds=1)]).rows
    assert row[2] == "0.3000"


def test_a_cell_type_that_the_paper_lacks_is_shown_next_to_k562():
    assert score_table([scored("A", 0.3, cell_type="HepG2")]).head[3] == "paper, K562"
    assert (own_cell_type("HepG2"), own_cell_type("k562"), own_cell_type("gm12878")) == (None, "K562", "GM12878")


def test_markdown_marks_values_and_lists_what_is_missing(rows):
    text = markdown(contents(*rows))
    assert "| **0.1050 ± 0.0071** " in text
    assert "<u>0.2050 ± 0.0071</u>" in text
    assert "| C \\| c |" in text
    assert "* K562 · Gap: No peaks." in text
    assert "scale small; seeds 2, 22; settings: training.steps=9. Made by `epigx reproduce table0`." in text
    assert len({line.count("|") - line.count("\\|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_each_reason_is_given_once():
    rows = [RowResult(Row(name, "K562", System(reason="x")), (), {}, "No peaks.") for name in "ab"]
    assert contents(*rows).missing == ("K562 · a, K562 · b: No peaks.",)


def test_the_numbers_are_columns_of_the_tsv(rows):
    table = score_frame(rows)
    assert table["mse"][1] == pytest.approx(0.105)
    assert table["mse_paper"][1] == 0.2
    assert table["mse_difference_high"][0] == 0.2
    assert np.isnan(table["mse"][3])
    assert table["missing"].tolist() == ["", "", "", "No peaks."]


def test_a_page_is_written_complete_and_again_with_the_same_bytes(rows, tmp_path):
    page = write_page(contents(*rows), tmp_path / "out" / "table0")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "table0-K562.png", "table0.html", "table0.md", "table0.tsv",
    ]  # fmt: skip
    html = page.read_text()
    assert '<td class="best">0.1050 ± 0.0071</td>' in html
    assert '<td class="second">0.2050 ± 0.0071</td>' in html
    assert "Simulated data" not in html
    assert "<svg" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert pd.read_csv(page.parent / "table0.tsv", sep="\t").shape[0] == 4
    before = {path.name: path.read_bytes() for path in page.parent.iterdir()}
    write_page(contents(*rows), tmp_path / "out" / "table0")
    assert {path.name: path.read_bytes() for path in page.parent.iterdir()} == before


def test_simulated_data_are_marked(rows, tmp_path):
    simulated = contents(*rows, simulated=True, seeds=(2,), settings=())
    assert "nothing here is a finding about cells" in write_page(simulated, tmp_path / "t").read_text()
    assert "seed 2. Made by" in simulated.about


def test_parameter_counts_are_written_without_pictures(tmp_path):
    found = table8().contents(tmp_path, COMMAND, {})
    page = write_page(found, tmp_path / "table8")
    assert "585,681" in page.read_text()
    assert not list(page.parent.glob("*.png"))
    assert found.about == ""
    assert found.frame.set_index("system").loc["InFER", ["model", "objective"]].tolist() == [574_721, 10_960]


def test_the_papers_marks_are_drawn_only_for_its_own_cell_types(rows):
    ours = marks(rows)
    assert [text.get_text() for text in ours.legends[0].get_texts()][-1] == "paper"
    theirs = marks([scored("A", 0.3, cell_type="HepG2")])
    assert not theirs.legends


def test_curves_run_over_the_lengths_one_for_each_group():
    rows = [scored(f"{x} bp", 0.1 + x / 1e4, group=group, x=x) for group in "ab" for x in (100, 110, 500, 2_000)]
    axes = curves(rows, "bp read").axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["a, paper", "b, paper", "a", "b"]
    assert axes.get_xlabel() == "bp read"
    assert list(axes.get_xticks()) == [110, 500, 2_000]
    assert curves([scored("x", 0.1, x=x, printed=None) for x in (1.0, 2.0)], "bp").axes[0].get_legend() is None


@pytest.fixture
def gene():
    signals = {"h3k27ac": np.zeros(40), "dnase": np.linspace(0, 3, 40)}
    return PanelGene(
        "K562", "G1", "ABC", "chr22", "-", 999, 0.8, 20, ((7, "+", "XYZ"),), signals, {"h3k27ac": 2.0, "dnase": 2.0},
        0.6, {"InFER": np.array([0.7, 0.9])},
    )  # fmt: skip


def test_a_gene_panel_shows_gene_signals_and_expression(gene):
    figure = gene_panel(gene)
    top, h3k27ac, dnase, bottom = figure.axes
    assert {text.get_text() for text in top.texts} >= {"ABC", "XYZ"}
    assert (h3k27ac.get_ylabel(), dnase.get_ylabel()) == ("h3k27ac", "dnase")
    assert h3k27ac.get_ylim()[1] == pytest.approx(2.3)  # an empty track is drawn at the height of the others' genes
    assert dnase.get_xlabel() == "bp from the TSS at chr22:1,000"
    assert [label.get_text() for label in bottom.get_yticklabels()] == ["InFER", "observed"]


def test_the_genes_of_a_panel_are_written(gene, tmp_path):
    found = GenePanel("figure4", "Figure 4", "A caption.", study(), {}).layout([gene], COMMAND)
    (row,) = found.sections[0].table.rows
    assert row == ("K562", "ABC", "G1", "chr22:1,000 (-)", "0.80", "0.6000", "0.8000 ± 0.1414")
    page = write_page(found, tmp_path / "figure4")
    assert (page.parent / "figure4-K562-G1.png").stat().st_size > 1_000
    assert "0.8000 ± 0.1414" in (page.parent / "figure4.md").read_text()
    assert found.frame["infer"][0] == pytest.approx(0.8)
