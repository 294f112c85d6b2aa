"""Commands in the documents parse, the README's manifest is valid, its Python names exist, links lead to files."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

import epigx
from epigx.cli.app import app
from epigx.dataset.manifest.schema import read_manifest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = [
    *ROOT.glob("*.md"),
    *(page for folder in ("docs", "examples", "studies", "benchmarks") for page in (ROOT / folder).rglob("*.md")),
]


def fenced(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    text = "\n".join(page.read_text() for page in PAGES)
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("epigx ")]
    return sorted({re.sub(r"\s+#.*", "", line).rstrip("\\ ") for line in lines if "|" not in line})


@pytest.mark.parametrize("command", commands())
def test_a_command_in_the_documents_parses(command: str) -> None:
    app.parse_args(shlex.split(command)[1:], exit_on_error=False, print_error=False)


def test_the_manifest_is_valid(tmp_path: Path) -> None:
    (text,) = fenced("yaml")
    (tmp_path / "manifest.yaml").write_text(text)
    manifest = read_manifest(tmp_path / "manifest.yaml")
    assert set(manifest.cell_types["K562"].signals) == set(manifest.signals) == {"h3k27ac", "dnase", "hic"}


def test_the_python_names_exist() -> None:
    (code,) = fenced("python")
    used = {
        node.attr
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gx"
    }
    assert used
    assert used <= set(epigx.__all__)


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in README
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)\n]*\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
