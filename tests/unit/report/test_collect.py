from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from epigx.errors import ConfigError
from epigx.evaluation.target import resolve_target
from epigx.report import collect
from epigx.report.collect import gather_dataset, gather_run, names_of
from epigx.training import network


def _runs(*paths):
    return [SimpleNamespace(path=Path(path)) for path in paths]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/infer"], ["infer"]),
        (["runs/infer", "runs/plain/"], ["infer", "plain"]),
        (["a/infer", "b/infer"], ["a/infer", "b/infer"]),
    ],
)
def test_runs_have_the_shortest_names_that_differ(paths, names):
    assert names_of(_runs(*paths)) == names


def test_no_run_and_the_same_run_twice_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"No run to report on\. Give at least one run folder\."):
        names_of([])
    with pytest.raises(ConfigError, match=r"A run is named twice\. Name each run folder once\."):
        names_of(_runs("runs/infer", tmp_path / "runs" / "infer"))


def test_patterns_of_long_windows_are_computed_a_few_genes_at_a_time(tiny_run, tiny_dataset, monkeypatch):
    target, sizes = resolve_target(tiny_run, "test", data=tiny_dataset), []
    whole = gather_run(target, "tiny", resamples=5).patterns
    assert whole.shape[:2] == (12, 2)
    monkeypatch.setattr("epigx.training.inference.EVALUATION_BASES", 7 * target.dataset.window)
    loader = network.eval_loader
    monkeypatch.setattr(network, "eval_loader", lambda windows, size: loader(windows, sizes.append(size) or size))
    found = tiny_run.fitted.diagnostics(target.windows.labelled())["patterns"]
    np.testing.assert_allclose(found, whole, atol=1e-6)
    assert sizes == [7]


def test_a_dataset_is_read_some_genes_at_a_time(monkeypatch):
    monkeypatch.setattr(collect, "COVERAGE_BASES", 4 * 512)
    genes = 1_030  # more than are read at a time
    signals = np.zeros((genes, 4, 2), np.float16)
    signals[:, 0, 0] = 3
    signals[genes // 2 :, :, 1] = 1
    expression = np.where(np.arange(genes) % 10 == 0, np.nan, 1.0)
    dataset = SimpleNamespace(
        path=Path("data/toy"),
        about=SimpleNamespace(assembly="Simulated-1"),
        window=4,
        cell_types=("A",),
        signals=(SimpleNamespace(name="dnase"), SimpleNamespace(name="hic")),
        genes=pd.DataFrame({"dna_coverage": np.ones(genes)}),
        signal_values=lambda cell: signals,
        expression=lambda cell: expression,
    )
    split = np.array(["train"] * 1_000 + ["valid"] * 20 + ["test"] * 10)
    found = gather_dataset(dataset, "A", split)
    assert found.simulated
    assert found.coverage == {"A": {"dnase": 0.25, "hic": 0.5}}
    assert found.genes == {"train": 1_000, "valid": 20, "test": 10}
    assert found.unlabelled == {"train": 100, "valid": 2, "test": 1}
    dataset.about.assembly = "hg38"
    assert not gather_dataset(dataset, "A", split).simulated


@pytest.mark.parametrize(
    ("dropped", "label"),
    [((), "all signals"), (("dnase",), "no dnase"), (("h3k27ac", "dnase"), "no signals")],
)
def test_an_arm_is_named_by_what_is_missing(make_run, dropped, label):
    assert make_run().label(dropped) == label


def test_some_of_several_signals_are_named_one_by_one(make_run):
    run = make_run(signals=("h3k27ac", "dnase", "hic"))
    assert run.label(("dnase", "hic")) == "no dnase, hic"
    assert make_run(signals=("dnase",)).label(("dnase",)) == "no dnase"


def test_genes_are_counted(make_run):
    assert make_run().n_genes == 80
