from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from epigx.errors import InputError
from epigx.genome.bed import Column, check_intervals, open_text, read_bed

COLUMNS = {"chrom": Column(0, str), "start": Column(1, int), "end": Column(2, int), "value": Column(3, float)}
ROWS = "chr1\t10\t20\t1.5\nchr2\t0\t5\t-2\n"


def read(path: Path, text: str | bytes) -> list[tuple[object, ...]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_bed(path, COLUMNS, what="a bedGraph").itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (ROWS, (1, 2)),
        (ROWS.rstrip("\n"), (1, 2)),
        (ROWS.replace("\n", "\r\n"), (1, 2)),
        (ROWS.replace("\t", " "), (1, 2)),
        (ROWS.replace("\t", "   "), (1, 2)),
        ("track type=bedGraph name=x\nbrowser position chr1\n# note\n\n" + ROWS, (5, 6)),
        (ROWS.replace("\nchr2", "\n# note\n\ntrack type=bedGraph\nchr2"), (1, 5)),
        ("chrom\tstart\tend\tvalue\n" + ROWS, (2, 3)),
        ("\ufeff" + ROWS, (1, 2)),
        (ROWS.replace("1.5\n", "1.5\tmore\tcolumns\n"), (1, 2)),
        (ROWS.replace("-2", "-2\tmore\tcolumns"), (1, 2)),
        (ROWS.replace("\t20\t", "\t2e1\t"), (1, 2)),
        (gzip.compress(ROWS.encode(), mtime=0), (1, 2)),
        (gzip.compress(ROWS[:20].encode(), mtime=0) + gzip.compress(ROWS[20:].encode(), mtime=0), (1, 2)),
    ],
    ids=[
        "tabs", "no last line end", "CRLF", "blanks", "many blanks", "headings above", "headings between", "header",
        "byte order mark", "first row longer", "later row longer", "exponent", "gzip", "gzip in parts",
    ],
)  # fmt: skip
def test_rows_are_read_with_their_lines(tmp_path: Path, text: str | bytes, lines: tuple[int, int]) -> None:
    # The name has no .gz: gzip is detected from the first bytes.
    assert read(tmp_path / "a.bed", text) == [("chr1", 10, 20, 1.5, lines[0]), ("chr2", 0, 5, -2.0, lines[1])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no intervals. Check that it is a bedGraph and is complete"),
        ("# note\n\ntrack x\n", "has no intervals"),
        ("chrom\tstart\tend\tvalue\n", "has no intervals"),
        ("chr1\t1\t2\n", r"line 1: column 4 \(value\) is missing. Check that the file is a bedGraph"),
        (ROWS + "chr1\t1\n", r"line 3: column 3 \(end\) is '', not a whole number. Check that the file is a bedGraph"),
        (ROWS + "chr1\tx\t2\t1\n", r"line 3: column 2 \(start\) is 'x', not a whole number"),
        (ROWS + "\nchr1\t1.5\t2\t1\n", r"line 4: column 2 \(start\) is '1.5', not a whole number"),
        (ROWS + "chr1\t1\t2\tnan\n", r"line 3: column 4 \(value\) is 'nan', not a number"),
        (ROWS + "chr1\t1\t2\tinf\n", r"line 3: column 4 \(value\) is 'inf', not a number"),
        (
            gzip.compress(ROWS.encode() * 99, mtime=0)[:-20],
            "is a damaged or truncated gzip file. Download or compress it again",
        ),
        (b"\x1f\x8b not gzip after all", "is a damaged or truncated gzip file"),
        (
            b"\x26\xfc\x8f\x88" + bytes(range(256)),
            r"is not a text file \(it contains the byte 0xfc\). Check its format",
        ),
    ],
)
def test_errors_name_the_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.bed", text)


def test_damage_after_the_first_row_is_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a text file"):
        read(tmp_path / "a.bed", ROWS.encode() * 10_000 + b"\xff\xfe")
    with pytest.raises(InputError, match=r"is a damaged or truncated gzip file"):
        read(tmp_path / "b.bed", gzip.compress(ROWS.encode() * 100_000, mtime=0)[:-1_000])


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.bed does not exist. Check its path"):
        read_bed(tmp_path / "none.bed", COLUMNS, what="a bedGraph")
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"), open_text(tmp_path):
        pass


def test_optional_columns_may_be_missing_or_a_dot(tmp_path: Path) -> None:
    columns = {
        "chrom": Column(0, str),
        "signal": Column(3, float, optional=True),
        "symbol": Column(4, str, optional=True),
        "far": Column(9, int, optional=True),
    }
    path = tmp_path / "a.bed"
    path.write_text("chr1\t1\t2\t.\tA\nchr1\t1\t2\t5\nchr1\t1\n")
    rows = read_bed(path, columns, what="a BED")
    assert rows["signal"].isna().tolist() == [True, False, True]
    assert rows["symbol"].tolist() == ["A", "", ""]
    assert rows["far"].isna().all()


def test_rows_are_numbered_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("epigx.genome.bed._CHUNK", 3)
    rows = read(tmp_path / "a.bed", "# note\n" + "chr1\t1\t2\t3\n" * 10)
    assert [row[-1] for row in rows] == list(range(2, 12))


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 5), (7, 5)])
def test_the_line_of_an_impossible_interval_is_named(tmp_path: Path, start: int, end: int) -> None:
    path = tmp_path / "a.bed"
    path.write_text(f"chr1\t1\t2\t0\nchr1\t{start}\t{end}\t0\n")
    rows = read_bed(path, COLUMNS, what="a BED")
    with pytest.raises(InputError, match=f"line 2: start {start} and end {end} are not an interval"):
        check_intervals(rows, path)
