from __future__ import annotations

import re

import numpy as np
import pytest

from epigx.report.drawing import BLUE, GREEN, INK, ORANGE, canvas, png, signal_colours, svg


def _drawn():
    with canvas(width=3, height=2) as (figure, (axes,)):
        axes.plot([0, 1], [0, 1], color=BLUE, label="a line")
        axes.set(xlabel="step", title="Title")
        axes.legend()
    return figure


def test_the_papers_signals_keep_their_colours_next_to_others():
    assert signal_colours(["dnase", "hic", "h3k27ac"]) == {"dnase": BLUE, "hic": GREEN, "h3k27ac": ORANGE}
    assert signal_colours(["ctcf", "DNase"])["DNase"] == BLUE
    others = signal_colours(["a", "b", "c", "d"])
    assert len(set(others.values())) == 4
    assert not set(others.values()) & {BLUE, GREEN, ORANGE}


def test_the_same_figure_gives_the_same_bytes():
    assert svg(_drawn(), "one") == svg(_drawn(), "one")


def test_names_keep_the_ids_of_two_figures_apart():
    def ids(name):
        return set(re.findall(r'id="(p[0-9a-f]{8,})"', svg(_drawn(), name)))

    assert ids("one")
    assert not ids("one") & ids("two")


def test_the_page_decides_colour_font_and_width():
    element = svg(_drawn(), "one")
    assert element.startswith('<svg style="max-width: 288px"')
    assert INK not in element
    assert "currentColor" in element
    assert BLUE in element
    assert "DejaVu" not in element
    opening = element[: element.index(">")]
    assert " width=" not in opening
    assert " height=" not in opening
    assert "viewBox" in opening


def test_text_stays_text_and_there_is_no_date():
    element = svg(_drawn(), "one")
    assert ">a line</text>" in element
    assert "<metadata>" not in element
    assert not re.search(r"20\d\d-\d\d-\d\d", element)


def test_a_style_ends_with_its_figure():
    import matplotlib as mpl

    before = mpl.rcParams["axes.edgecolor"]
    _drawn()
    assert mpl.rcParams["axes.edgecolor"] == before


def test_png_has_a_white_background():
    import io

    from matplotlib.image import imread

    image = imread(io.BytesIO(png(_drawn())))
    assert image.shape[:2] == (300, 450)
    assert np.allclose(image[0, 0], 1)


def test_panels_are_side_by_side():
    with canvas(3, width=6, height=2, ratios=[1, 1, 2]) as (figure, axes):
        pass
    figure.draw_without_rendering()
    widths = [a.get_position().width for a in axes]
    assert widths[2] == pytest.approx(2 * widths[0], rel=0.05)
