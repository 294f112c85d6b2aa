"""From runs to a report: runs of several methods, read once, and runs on several cell types."""

from __future__ import annotations

from importlib import import_module

import pytest

from epigx.baselines import Ridge
from epigx.dataset.store import open_dataset
from epigx.recipes.baselines import boosting, ridge
from epigx.report import write_report
from epigx.runs.folder import open_run
from epigx.training.network import Network
from epigx.training.train import train

write = import_module("epigx.report.write")


@pytest.fixture(scope="module")
def ridge_run(tiny_dataset, tmp_path_factory):
    config = ridge(data=tiny_dataset, cell_type=["bare", "beta", "alpha"])
    return train(config, tmp_path_factory.mktemp("runs") / "ridge")


def _counted(monkeypatch, owner, name, noted):
    """Note the calls of a function: what ``noted`` returns for its arguments."""
    calls, original = [], getattr(owner, name)

    def call(*arguments, **options):
        calls.append(noted(*arguments))
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, call)
    return calls


def test_weights_and_targets_of_two_runs_with_three_signals_are_read_once(tiny_run, ridge_run, tmp_path, monkeypatch):
    resolved = _counted(monkeypatch, write, "resolve_target", lambda run, split: run.path)
    loaded = [
        _counted(monkeypatch, method, "load_fitted", lambda self, folder, inputs: folder.parent)
        for method in (Network, Ridge)
    ]
    runs = [open_run(tiny_run.path), open_run(ridge_run.path)]
    assert all(len(run.inputs.signals) == 3 for run in runs)
    calls = []
    found = write_report(runs, tmp_path / "page.html", bootstrap=5, progress=lambda *done: calls.append(done))
    assert resolved == [run.path for run in runs]
    assert loaded == [[run.path] for run in runs]
    assert calls == [(number, 10) for number in range(1, 11)]  # all signals, three without one, and none: twice
    assert found[0].patterns is not None
    assert found[1].patterns is None


def test_the_report_of_a_baseline_shows_its_model(tiny_dataset, ridge_run, tmp_path):
    trees = train(boosting(data=tiny_dataset, cell_type="alpha"), tmp_path / "boosting")
    found = write_report([trees, ridge_run], tmp_path / "page.html", bootstrap=5)
    html = (tmp_path / "page.html").read_text()
    assert "<td>Trees</td>" in html
    assert "<td>Penalty</td>" in html
    assert "Gradient boosting" in html
    assert "earning curves" not in html
    assert [len(run.drops) for run in found] == [5, 5]


def test_the_first_cell_type_with_labels_is_scored_by_default(ridge_run, tiny_dataset, tmp_path):
    (found,) = write_report([ridge_run], tmp_path / "page.html", bootstrap=5)
    assert (found.cell_type, found.also_trained_on) == ("beta", ("bare", "alpha"))
    assert "the run was also trained on bare, alpha" in (tmp_path / "page.html").read_text()
    data = open_dataset(tiny_dataset)
    (found,) = write_report([ridge_run], tmp_path / "page.html", data=data, cell_type="alpha", bootstrap=5)
    assert found.cell_type == "alpha"
