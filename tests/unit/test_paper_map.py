from __future__ import annotations

import ast
import re
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from epigx import recipes
from epigx.cli.app import app
from epigx.cli.reproduce import NAMES

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split("|")]
    for line in (ROOT / "docs" / "paper-map.md").read_text().splitlines()
    if re.match(r"\|[^-]", line) and "| symbol |" not in line
]


def resolve(name: str) -> object:
    """Import the longest module that the name begins with, and follow the rest as attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[length:], module)
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}: {row[1]}")
def test_each_row_leads_to_code_and_to_a_test(row: list[str]) -> None:
    _, _, symbol, _, test = row
    resolve(symbol.strip("`"))
    path, _, function = test.strip("`").partition("::")
    tree = ast.parse((ROOT / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_equation_and_the_tables_of_the_method_are_there() -> None:
    places = " ".join(row[0] for row in ROWS)
    for place in ["Eq. 1", "Eqs. 2-3", "Eq. 4", "Eq. 5", "Eq. 6", "Algorithm 1", "Table 6", "Table 8", "Table 9"]:
        assert place in places


def test_every_table_and_figure_has_its_command() -> None:
    told = " ".join(row[3] for row in ROWS)
    for name in NAMES:
        assert f"`epigx reproduce {name}`" in told


@pytest.mark.parametrize("command", sorted({command for row in ROWS for command in row[3].split(", ")}))
def test_each_command_is_one(command: str) -> None:
    program, verb, *what = command.strip("`").split()
    assert program == "epigx"
    flags = {flag for argument in app[verb].assemble_argument_collection() for flag in argument.names}
    match verb, what:
        case "train", [recipe]:
            assert callable(getattr(recipes, recipe.replace("-", "_")))
        case "reproduce", [name]:
            assert name in (*NAMES, "all")
        case _:
            assert set(what) <= flags


def test_a_name_that_is_gone_is_noticed() -> None:
    with pytest.raises(AttributeError):
        resolve("epigx.objectives.backdoor.Frontdoor")
    with pytest.raises(ModuleNotFoundError):
        resolve("epigy.objectives")
