"""The scripts in examples/ run and write what they announce."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Pydantic looks a postponed annotation up in the module of its class.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_quickstart(tmp_path: Path, capsys) -> None:
    load("quickstart").main(tmp_path)
    assert "pearson" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "predictions.tsv", sep="\t")) == 60


def test_predict_new_cell_type(tmp_path: Path) -> None:
    load("predict_new_cell_type").main(tmp_path)
    table = pd.read_csv(tmp_path / "simB.tsv", sep="\t")
    assert table[["predicted", "sd"]].notna().all(axis=None)


def test_add_backbone(tmp_path: Path, capsys) -> None:
    load("add_backbone").main(tmp_path)
    assert "pearson" in capsys.readouterr().out


def test_every_example_has_a_test_and_a_line_in_the_readme() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    for script in EXAMPLES.glob("*.py"):
        assert f"({script.name})" in readme
        assert f"test_{script.stem}" in globals()
