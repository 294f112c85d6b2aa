from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from epigx.errors import InputError
from epigx.genome.contacts.contacts import open_contacts

LOOPS = "chr1\t100\t110\tchr1\t150\t160\ta\t7\t.\t.\t2.5\nchr1\t105\t115\tchr1\t300\t310\tb\t9\t.\t.\t4.0\n"


def profile(path: Path, text: str, tss: int, start: int, length: int, **options: int) -> list[float]:
    path.write_text(text)
    contacts = open_contacts(path, "bedpe", **options)
    return contacts.profile("chr1", np.array([tss]), np.array([start]), length)[0].tolist()


@pytest.mark.parametrize(
    ("tss", "own", "far"),
    [
        (100, [(100, 110, 2.5)], [(150, 160, 2.5)]),
        (109, [(100, 110, 2.5), (105, 115, 4.0)], [(150, 160, 2.5), (300, 310, 4.0)]),
        (110, [(105, 115, 4.0)], [(300, 310, 4.0)]),
        (155, [(150, 160, 2.5)], [(100, 110, 2.5)]),
        (99, [], []),
        (160, [], []),
    ],
)
def test_both_anchors_have_the_value_of_the_loop(
    tmp_path: Path, tss: int, own: list[tuple[int, int, float]], far: list[tuple[int, int, float]]
) -> None:
    expected = np.zeros(400)
    for start, end, value in own + far:
        expected[start:end] = np.maximum(expected[start:end], value)
    assert profile(tmp_path / "loops.bedpe", LOOPS, tss, 0, 400) == expected.tolist()
    assert profile(tmp_path / "loops.bedpe", LOOPS, tss, 104, 50) == expected[104:154].tolist()


def test_slack_includes_a_tss_near_an_anchor(tmp_path: Path) -> None:
    path = tmp_path / "loops.bedpe"
    assert profile(path, LOOPS, 95, 150, 10, slack=4) == [0.0] * 10
    assert profile(path, LOOPS, 95, 150, 10, slack=5) == [2.5] * 10
    assert profile(path, LOOPS, 114, 150, 10, slack=5) == [2.5] * 10
    assert profile(path, LOOPS, 115, 150, 10, slack=5) == [0.0] * 10


def test_the_column_of_the_value(tmp_path: Path) -> None:
    path = tmp_path / "loops.bedpe"
    assert profile(path, LOOPS, 100, 100, 2, column=8) == [7.0, 7.0]
    # Column 11 of the first loop is a dot, so the last column of numbers is the eighth.
    assert profile(path, LOOPS.replace("\t2.5\n", "\t.\n"), 100, 100, 2) == [7.0, 7.0]
    names_only = "".join("\t".join(line.split("\t")[:7]) + "\n" for line in LOOPS.splitlines())
    assert profile(path, names_only, 100, 100, 2) == [1.0, 1.0]


def test_headers_comments_and_loops_between_chromosomes_are_ignored(tmp_path: Path) -> None:
    text = "#chr1\tx1\n" + "chr1\tx1\tx2\tchr2\ty1\ty2\tname\tn\ta\tb\tvalue\n" + "# juicer\n" + LOOPS
    text += "chr1\t100\t110\tchr2\t150\t160\tc\t7\t.\t.\t99\n"
    assert profile(tmp_path / "loops.bedpe", text, 100, 100, 2) == [2.5, 2.5]


def test_gzip_other_names_and_chromosomes_without_loops(tmp_path: Path) -> None:
    path = tmp_path / "loops.bedpe.gz"
    path.write_bytes(gzip.compress(LOOPS.replace("chr1", "1").encode()))
    contacts = open_contacts(path, "bedpe")
    assert contacts.chromosomes == {"1": None}
    assert contacts.profile("chr1", np.array([100]), np.array([100]), 2).tolist() == [[2.5, 2.5]]
    assert contacts.profile("chr2", np.array([100]), np.array([100]), 2).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no intervals. Check that it is a bedpe of loops"),
        ("chr1\t1\t2\tchr1\t5\n", r"line 1: column 6 \(end2\) is missing. Check that the file is a bedpe"),
        (LOOPS + "chr1\t1\t2\tchr1\t9\t5\ta\t1\t.\t.\t2\n", "line 3: start2 9 and end2 5 are not an interval"),
        (LOOPS + "chr1\t1\t2\tchr1\t5\t9\ta\t1\t.\t.\t-2\n", "line 3: the value -2.0 is negative. Choose another"),
    ],
)
def test_files_that_are_not_bedpe_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        profile(tmp_path / "loops.bedpe", text, 1, 1, 1)


def test_a_column_without_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 1: column 7 \(value\) is 'a', not a number"):
        profile(tmp_path / "loops.bedpe", LOOPS, 1, 1, 1, column=7)
