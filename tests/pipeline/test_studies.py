"""The causal study runs from end to end, resumes, and its intervals are right."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

CAUSAL = Path(__file__).parents[2] / "studies" / "causal"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Return a function that imports a script, which finds the files beside it as if it was started itself."""
    monkeypatch.syspath_prepend(CAUSAL)

    def load(name: str) -> ModuleType:
        found = importlib.util.spec_from_file_location(f"causal_{name}", CAUSAL / f"{name}.py")
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        monkeypatch.setitem(sys.modules, found.name, module)  # dataclasses look their module up
        found.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def tables(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("tables")


def test_the_causal_study_from_genomes_to_tables(
    script: Callable[[str], ModuleType],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def call(name: str, *words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        script(name.removesuffix(".py")).main()
        return capsys.readouterr().out

    words = ["-o", tmp_path, "--seeds", "2", "22", "--systems", "plain", "InFER", "--confounding", "0.4"]
    words += ["--genes", "60", "--steps", "4"]
    assert "[4/4] simulated 0.4, InFER, seed 22" in call("study.py", *words)
    again = call("study.py", *words)
    assert again.count("done  simulated 0.4") == 4
    assert "4 runs; about 0 CPU minutes of training are left." in again
    assert "[" not in again, "something was trained again"
    page = call("tables.py", tmp_path)
    assert "### *Simulated*, γ = 0.4: 2 seeds" in page
    measured = pd.read_parquet(tmp_path / "measured/simulated 0.4/plain/2.parquet")
    assert not measured["observed"].equals(measured["observed:flip"])
    errors = [
        ((table["predicted"] - table["observed"]) ** 2).mean()
        for table in map(pd.read_parquet, sorted((tmp_path / "measured/simulated 0.4/plain").iterdir()))
    ]
    row = next(line for line in page.splitlines() if line.startswith("| plain |"))  # of accuracy, the first table
    assert f"{np.mean(errors):.3f} [" in row


def test_an_interval_is_student_s(tables: ModuleType) -> None:
    assert tables.interval(np.array([1.0, 2.0, 3.0])) == "2.000 [-0.484, 4.484]"
    assert tables.interval(np.array([0.25]), signed=True) == "+0.250"


def test_differences_and_ratios_are_paired(tables: ModuleType) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for seed in (1, 2):
        plain = rng.exponential(size=50)
        for system, factor in (("plain", 1.0), ("half", 0.5)):
            rows += [
                {"system": system, "seed": seed, "unit": str(gene), "error": factor * value}
                for gene, value in enumerate(plain)
            ]
    genes = pd.DataFrame(rows)
    assert tables.ratio_over_genes(genes, "half", "error") == "0.50 [0.50, 0.50]"
    mean = genes.loc[genes["system"] == "plain", "error"].mean()
    assert tables.difference_over_genes(genes, "half", "error").startswith(f"{-mean / 2:+.3f} [-")
