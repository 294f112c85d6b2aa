"""The package imports only what its installation brings, and optional packages only when they are used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = {"pyyaml": "yaml"}  # the others are imported by the name of their distribution
OPTIONAL = {"submitit", "distributed", "dask", "mamba_ssm"}


def names(requirements: list[str]) -> set[str]:
    found = (re.match(r"[\w.-]+", requirement) for requirement in requirements)
    return {MODULES.get(match[0], match[0].replace("-", "_")) for match in found if match}


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module).split(".")[0]


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    """Return the files that import each foreign package."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for module in imports(ast.parse(path.read_text())):
            if module not in sys.stdlib_module_names and module != "epigx":
                found.setdefault(module, set()).add(str(path.relative_to(ROOT)))
    return found


def test_every_import_is_a_dependency_or_optional(imported):
    allowed = names(PROJECT["dependencies"]) | OPTIONAL | {"pydantic_core"}
    assert {module: files for module, files in imported.items() if module not in allowed} == {}


def test_every_dependency_is_imported(imported):
    assert names(PROJECT["dependencies"]) <= set(imported)


def test_optional_packages_are_imported_inside_functions():
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not OPTIONAL & set(imports(node)), path


def test_extras_are_not_needed_by_the_package():
    assert not names(PROJECT["dependencies"]) & names([*chain(*PROJECT["optional-dependencies"].values())])
