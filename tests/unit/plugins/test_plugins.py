"""What another package adds, one file each, through entry points: found by name, trained and scored."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

METHOD = '''
"""A method: the mean of the training genes."""
import json
from typing import Literal

import numpy as np

from epigx.errors import RunError
from epigx.runs.method import FittedModel, Method


class Mean(Method):
    kind: Literal["training_mean"] = "training_mean"
    shift: float = 0.0

    def fit(self, data, session):
        return FittedMean(float(data.train.expression.mean()) + self.shift)

    def load_fitted(self, folder, inputs):
        try:
            return FittedMean(json.loads((folder / "mean.json").read_text()))
        except (OSError, ValueError) as error:
            raise RunError(f"{folder} cannot be read: {error}.") from None


class FittedMean(FittedModel):
    def __init__(self, mean):
        self.mean = mean

    def predict(self, windows, *, batch_size=None, progress=None):
        return np.full(len(windows), self.mean)

    def save(self, folder):
        (folder / "mean.json").write_text(json.dumps(self.mean))
'''

BACKBONE = '''
"""A backbone: one convolution."""
from typing import Literal

from torch import nn

from epigx.backbones import Backbone


class Conv(nn.Module):
    def __init__(self, d_model, width):
        super().__init__()
        self.conv = nn.Conv1d(d_model, d_model, width, padding=width // 2)

    def forward(self, hidden):
        return hidden + self.conv(hidden.transpose(1, 2)).transpose(1, 2).relu()


class OneConv(Backbone):
    kind: Literal["one_conv"] = "one_conv"
    width: int = 5

    def build(self):
        return Conv(self.d_model, self.width)
'''

OBJECTIVE = '''
"""An objective: squared error, which reports the residual of each gene."""
from typing import Literal

from epigx.batch import Loss
from epigx.objectives import Objective, ObjectiveModule


class Squared(Objective):
    kind: Literal["squared"] = "squared"

    def build(self, model, n_signals, background=()):
        return SquaredLoss()


class SquaredLoss(ObjectiveModule):
    def forward(self, model, batch):
        prediction = model(batch)
        residual = prediction.expression - batch.expression
        return prediction, Loss(total=residual.square().mean(), terms={"squared": residual.square().mean().detach()})

    def diagnostics(self, batch):
        return {"gc": batch.sequence[..., 1:3].sum(dim=(1, 2)) / batch.sequence.shape[1]}

    def summarize(self, diagnostics):
        return {"gc_mean": float(diagnostics["gc"].mean())}
'''

METRIC = '''
"""A metric: the median absolute error."""
import numpy as np

from epigx.metrics import Metric

median_error = Metric(
    "median_error", "Median error", False, lambda observed, predicted: np.median(abs(predicted - observed), axis=-1)
)
'''

COMMAND = '''
"""A command: the number of genes of a dataset."""
from pathlib import Path

from epigx.cli.console import emit
from epigx.errors import InputError


def count(folder: Path, /, *, scale: int = 1) -> int:
    """Count the genes of a dataset.

    Parameters
    ----------
    folder : Path
        Dataset folder.
    scale : int
        Factor of the count.
    """
    from epigx import open_dataset

    if scale < 1:
        raise InputError("--scale must be positive. Give 1 or more.")
    emit(str(scale * len(open_dataset(folder))))
    return 3
'''

ENTRY_POINTS = """
[epigx.methods]
training_mean = mean_method:Mean
broken = no_such_module:Nothing
mislabelled = mean_method:Mean
[epigx.backbones]
one_conv = conv_backbone:OneConv
[epigx.objectives]
squared = squared_objective:Squared
[epigx.metrics]
median_error = median_metric:median_error
[epigx.commands]
count-genes = count_command:count
broken = no_such_module:app
train = count_command:count
"""


@pytest.fixture
def installed(tmp_path):
    """Lay out a package as pip would, and return a function that runs a script beside it."""
    folder = tmp_path / "site"
    (folder / "plugin-1.0.dist-info").mkdir(parents=True)
    (folder / "plugin-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (folder / "plugin-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "mean_method.py").write_text(METHOD)
    (folder / "conv_backbone.py").write_text(BACKBONE)
    (folder / "squared_objective.py").write_text(OBJECTIVE)
    (folder / "count_command.py").write_text(COMMAND)
    (folder / "median_metric.py").write_text(METRIC)
    paths = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])

    def run(script):
        done = subprocess.run(
            [sys.executable, "-c", script], check=False, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_method_and_a_metric_of_another_package(installed, tiny_dataset, tmp_path):
    installed(f"""
import sys
import numpy as np, epigx
from epigx.recipes.registry import find_recipe, recipe_names
assert "training_mean" in recipe_names() and "mean_method" not in sys.modules
config = find_recipe("training_mean")(data={str(tiny_dataset)!r}, cell_type="alpha").override("shift=0.5")
run = epigx.train(config, {str(tmp_path / "run")!r})
assert epigx.open_run(run.path).config == config
found = epigx.evaluate(run)
assert found.metrics["median_error"] == np.median(abs(found.genes.predicted - found.genes.observed))
assert found.intervals["median_error"].low <= found.metrics.median_error
assert "Median error" in found._repr_html_()
np.testing.assert_array_equal(epigx.predict(run)["predicted"], np.full(60, run.fitted.mean))
assert not run.config.method.needs
""")


def test_a_backbone_and_an_objective_of_another_package(installed, tiny_config, tmp_path):
    config = tiny_config("training.validate_every=1")
    (tmp_path / "config.yaml").write_text(config.dump())
    installed(f"""
import epigx
from epigx.runs.config import RunConfig
config = RunConfig.load({str(tmp_path / "config.yaml")!r}).override(
    "model.backbone={{kind: one_conv, d_model: 8, width: 3}}", "objective.kind=squared"
)
run = epigx.train(config, {str(tmp_path / "run")!r})
assert type(run.config.method.model.backbone).__name__ == "OneConv"
assert epigx.evaluate(run, bootstrap=0).metrics.n_genes == 12
from epigx.evaluation.target import resolve_target
windows = resolve_target(run, "test").windows
gc = run.fitted.diagnostics(windows)["gc"]
assert gc.shape == (12,) and (gc > 0).all()
assert "train_squared" in run.log
""")


def test_a_command_of_another_package(installed, tiny_dataset):
    calls = [["--help"], ["count-genes", "--help"], ["count-genes", str(tiny_dataset), "--scale", "2"]]
    printed = installed(f"""
import sys
from epigx.cli import main
for call in {calls!r}:
    print("exit status", main(call), "count_command" in sys.modules)
""")
    listed, described, ran = printed.split("exit status ")[:3]
    assert "From other packages" in listed
    assert "count-genes" in listed
    assert "A command of the package plugin." in listed
    assert "Train a model and write a run folder." in listed, "a command of epigx cannot be replaced"
    assert described.startswith("0 False\n"), "the list of commands imports none of them"
    assert "Factor of the count." in described
    assert ran.splitlines() == ["0 True", "120"]
    assert printed.splitlines()[-1] == "exit status 3 True"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["count-genes", "DATA", "--scale", "0"], "Error: --scale must be positive."),
        (["count-genes", "DATA", "--scael", "2"], "Unknown option: --scael. Did you mean --scale?"),
        (["broken"], "The plug-in 'no_such_module:app' (epigx.commands) cannot be imported: ModuleNotFoundError"),
    ],
)
def test_wrong_use_of_a_command_of_another_package_is_an_error(installed, tiny_dataset, words, said):
    call = [str(tiny_dataset) if word == "DATA" else word for word in words]
    printed = installed(f"""
import contextlib, sys
from epigx.cli import main
with contextlib.redirect_stderr(sys.stdout):
    print(main({call!r}))
""")
    assert said in printed
    assert printed.endswith("\n2\n")


def test_a_package_that_cannot_be_imported_is_named(installed):
    printed = installed("""
from epigx.errors import ConfigError
from epigx.runs.method import Method
for name in ("broken", "mislabelled"):
    try:
        Method.find(name)
    except ConfigError as error:
        print(error)
""")
    assert "The plug-in 'no_such_module:Nothing' (epigx.methods) cannot be imported: ModuleNotFoundError" in printed
    assert "The plug-in 'mean_method:Mean' (epigx.methods) defines no method of kind 'mislabelled'" in printed
