from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from epigx.report.drawing import BLUE, GREY, ORANGE
from epigx.report.page import page

module = import_module("epigx.report.page")

VOID = {"meta", "br", "img", "link", "input", "hr", "use", "path", "image", "stop", "rect"}


class _Checker(HTMLParser):
    """Checks that tags match, and collects what a browser would load."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.loaded = [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.loaded += [v for k, v in attrs if k in {"src", "href", "xlink:href"} and not v.startswith(("#", "data:"))]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        if tag not in VOID:
            self.handle_starttag(tag, attrs)
            self.open.pop()
        else:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture
def unpainted(monkeypatch):
    """Leave out the figures in tests of the text."""
    monkeypatch.setattr(module, "svg", lambda figure, name: "<svg></svg>")


def _checked(html):
    checker = _Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open
    return checker


def test_the_page_is_whole_and_loads_nothing(make_run, data):
    html = page([make_run("one"), make_run("two", error=0.5)], data, split="test", resamples=50)
    checker = _checked(html)
    assert checker.loaded == []
    assert "<script" not in html
    assert "url(http" not in html
    assert "@import" not in html
    for section in ("scores", "run1", "run2", "data", "settings"):
        assert checker.ids.count(section) == 1


def test_the_same_contents_give_the_same_bytes(make_run, data):
    once, again = (page([make_run()], data, split="test", resamples=50) for _ in range(2))
    assert once == again


def test_clipping_paths_of_two_figures_never_meet(make_run, data):
    html = page([make_run("one"), make_run("two")], data, split="test", resamples=50)
    names = re.findall(r'<clipPath id="([^"]+)"', html)
    assert len(names) == len(set(names))


@pytest.mark.usefixtures("unpainted")
def test_genes_that_are_not_scored_are_counted(make_run, data):
    html = page([make_run()], data, split="test", resamples=50)
    assert "80 genes (left out: 3 without a label); dashed line" in html
    assert "80 genes; dashed line" in page([make_run(left_out={})], data, split="test", resamples=50)


@pytest.mark.usefixtures("unpainted")
def test_unknown_bases_are_counted(make_run, data):
    from dataclasses import replace

    part = replace(data, dna_coverage=np.array([0.0, 0.0, 0.5, 1.0]))
    html = page([make_run()], part, split="test", resamples=50)
    assert "Of 4 windows, 3 contain N bases, and 2 contain nothing else." in html


@pytest.mark.usefixtures("unpainted")
def test_simulated_data_are_marked_and_measured_ones_are_not(make_run, data):
    from dataclasses import replace

    assert "Simulated data." in page([make_run()], data, split="test", resamples=50)
    measured = replace(data, simulated=False, assembly="hg38")
    assert "imulated" not in page([make_run()], measured, split="test", resamples=50)


@pytest.mark.usefixtures("unpainted")
def test_one_run_has_its_numbers_large_and_several_are_compared(make_run, data):
    run = make_run()
    alone = page([run], data, split="test", resamples=50)
    assert f"<b>{run.scores['mse'].value:.3f}</b>" in alone
    both = page([run, make_run("plain", error=0.9)], data, split="test", resamples=50)
    assert "MSE, difference to infer-2" in both
    assert "infer-2 is significantly better on these genes." in both


@pytest.mark.usefixtures("unpainted")
def test_names_cannot_break_out_of_the_page(make_run, data):
    html = page([make_run("<b>bold & co</b>")], data, split="test", resamples=50)
    assert "<b>bold" not in html
    assert "&lt;b&gt;bold &amp; co&lt;/b&gt;" in html
    _checked(html)


@pytest.mark.usefixtures("unpainted")
def test_imported_weights_have_no_curves_and_plain_ones_no_patterns(make_run, data):
    nothing = {"losses": pd.DataFrame(), "validation": pd.Series(dtype=float), "chosen": None, "patterns": None}
    html = page([make_run(provenance={"Origin": "prism"}, **nothing)], data, split="test", resamples=50)
    assert "the weights were imported" in html
    assert "Background patterns" not in html


@pytest.mark.usefixtures("unpainted")
def test_a_baseline_has_facts_about_its_model_and_no_curves(make_run, data):
    nothing = {"losses": pd.DataFrame(), "validation": pd.Series(dtype=float), "chosen": None, "patterns": None}
    html = page([make_run(fitted={"Trees": "1,234"}, **nothing)], data, split="test", resamples=50)
    assert re.search(r"<td>Trees</td>\s*<td[^>]*>1,234</td>", html)
    assert "earning curves" not in html
    assert "imported" not in html


@pytest.mark.usefixtures("unpainted")
def test_the_scored_cell_type_is_named_and_others_that_were_trained_on(make_run, data):
    html = page([make_run()], data, split="test", resamples=50)
    assert "Scored on simA: test genes of data/toy" in html
    assert "also trained on" not in html
    html = page([make_run(also_trained_on=("simB",))], data, split="test", resamples=50)
    assert "Scored on simA; the run was also trained on simB: choose with --cell-type." in html


@pytest.mark.usefixtures("unpainted")
def test_without_signals_there_is_nothing_to_drop(make_run, data):
    run = make_run(signals=())
    html = page([make_run(signals=(), drops={(): run.scores})], data, split="test", resamples=50)
    assert "Contribution of each signal" not in html


def test_an_arm_has_its_signals_colour_in_the_figure_and_its_name_in_the_table(make_run, data):
    html = page([make_run()], data, split="test", resamples=50)
    for cell in ("all signals", "no h3k27ac", "no dnase", "no signals"):
        assert f"<td>{cell}</td>" in html
    figure = html[html.index("Scores with each signal dropped") :]
    order = [figure.index(f"fill: {colour}") for colour in (ORANGE, BLUE, GREY)]
    assert order == sorted(order)


@pytest.mark.usefixtures("unpainted")
def test_uninformative_patterns_are_reported(make_run, data):
    same = page([make_run(patterns=np.full((80, 2, 16), 0.5))], data, split="test", resamples=50)
    assert "hardly differ between genes" in same
    assert "nearly equal" in same
    html = page([make_run()], data, split="test", resamples=50)
    assert "hardly differ between genes" not in html
    assert "nearly equal" not in html


@pytest.mark.usefixtures("unpainted")
def test_the_diversity_is_shown_with_its_lowest_value(make_run, data):
    html = page([make_run(floor=0.7113)], data, split="test", resamples=50)
    assert "Final L₃: 1.000; lowest possible value: 0.711." in html
    assert "Final L₃" not in page([make_run()], data, split="test", resamples=50)
