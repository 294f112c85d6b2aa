"""Rules that the sources keep: no type tests of models and objectives above them, and no pickle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import epigx

SOURCE = Path(epigx.__file__).parent
ASKED = ("models", "objectives")
ABOVE = ("training", "evaluation", "report", "paper", "cli", "engines", "recipes", "runs")
NAMES = {
    node.name
    for room in ASKED
    for path in (SOURCE / room).glob("*.py")
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
}


def names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression, and the last ones of dotted names."""
    nodes = list(ast.walk(node))
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def type_tests(code: str) -> Iterator[str]:
    """Yield ``line: test`` for each type test of a model or an objective."""
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kinds]):
                tested = names_in(kinds)
            case ast.Compare(left=left, comparators=others):
                tested = set().union(*map(names_in, (left, *others))) if "type" in names_in(node) else set()
            case ast.MatchClass(cls=kind):
                tested = names_in(kind)
            case _:
                continue
        if tested & NAMES:
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_rooms_above_test_no_types() -> None:
    paths = [path for room in ABOVE for path in sorted((SOURCE / room).rglob("*.py"))]
    assert len(paths) > 50
    found = [f"{path.relative_to(SOURCE)}:{test}" for path in paths for test in type_tests(path.read_text())]
    assert not found, "Add a property or a method to the base class and ask for it:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(run.model, PredictorModel)",
        "isinstance(objective, (str, objectives.Backdoor))",
        "issubclass(kind, Seq2ExpHard | None)",
        "type(model) is EnformerModel",
        "match model:\n    case EPInformerModel():\n        pass",
    ],
)
def test_a_type_test_is_found(code: str) -> None:
    assert list(type_tests(code))


@pytest.mark.parametrize(
    "code", ["isinstance(data, Dataset)", "method.model == PredictorModel()", "type(value) is float"]
)
def test_other_tests_are_allowed(code: str) -> None:
    assert not list(type_tests(code))


def test_only_the_refusing_loader_knows_pickle() -> None:
    naming = {
        path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if "pickle" in path.read_text().lower()
    }
    assert naming == {"importers/safe_checkpoint.py"}
