"""Laws of every method: what is saved predicts the same bits, in any order, and damage is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from epigx.baselines import Columns, GradientBoosting, PromoterActivity, Ridge
from epigx.config import Kind
from epigx.dataset.store import open_dataset
from epigx.dataset.windows import Windows
from epigx.errors import ConfigError, RunError
from epigx.evaluation.evaluate import evaluate
from epigx.evaluation.predict import predict
from epigx.recipes import activity, boosting, ridge
from epigx.runs.config import RunConfig
from epigx.runs.folder import open_run, write_run
from epigx.runs.method import Method
from epigx.training.train import train

METHODS = {
    "gradient_boosting": GradientBoosting(columns=Columns(bins=4, kmer=2), trees=30, smallest_leaf=3),
    "ridge": Ridge(columns=Columns(bins=4, kmer=2)),
    "promoter_activity": PromoterActivity(feature="promoter"),
}
FILES = {
    "network": "weights.safetensors",
    "gradient_boosting": "trees.txt",
    "ridge": "ridge.safetensors",
    "promoter_activity": "line.json",
}


@pytest.fixture(scope="module")
def runs(tiny_run, tmp_path_factory):
    """Return a run of every method by its kind; not to be changed."""
    folder = tmp_path_factory.mktemp("methods")
    data = tiny_run.config.data
    baselines = {kind: train(RunConfig(data=data, method=method), folder / kind) for kind, method in METHODS.items()}
    return {"network": tiny_run, **baselines}


@pytest.fixture
def copied(runs, tmp_path):
    """Copy a run, so that it can be damaged."""

    def copy(kind):
        return shutil.copytree(runs[kind].path, tmp_path / kind)

    return copy


def windows_of(run, dataset):
    return Windows(open_dataset(dataset), "alpha", np.arange(60), run.inputs)


@pytest.mark.parametrize("kind", FILES)
def test_a_saved_model_predicts_the_same_bits(runs, tiny_dataset, tmp_path, kind):
    run = runs[kind]
    windows = windows_of(run, tiny_dataset)
    fresh = run.fitted.predict(windows)
    given = {"config": run.config, "inputs": run.inputs, "metrics": {}, "provenance": run.provenance}
    again = write_run(tmp_path / "again", fitted=run.fitted, **given)
    assert sorted(path.name for path in (again.path / "model").iterdir()) == [FILES[kind]]
    assert (again.path / "model" / FILES[kind]).read_bytes() == (run.path / "model" / FILES[kind]).read_bytes()
    np.testing.assert_array_equal(open_run(again.path).fitted.predict(windows), fresh)


@pytest.mark.parametrize("kind", FILES)
def test_the_model_that_was_fitted_predicts_as_the_loaded_one(runs, tiny_dataset, kind):
    run = runs[kind]  # predictions.parquet was written by the model in memory
    valid = np.flatnonzero(open_dataset(tiny_dataset).genes["chrom"] == "chr3")
    windows = Windows(open_dataset(tiny_dataset), "alpha", valid, run.inputs)
    np.testing.assert_array_equal(open_run(run.path).fitted.predict(windows), run.predictions["predicted"])


def test_trees_predict_the_same_bits_in_another_process(runs, tiny_dataset):
    run = runs["gradient_boosting"]
    script = f"""
import numpy as np, epigx
run = epigx.open_run({str(run.path)!r})
windows = epigx.Windows(epigx.open_dataset({str(tiny_dataset)!r}), "alpha", np.arange(60), run.inputs)
print(run.fitted.predict(windows).tobytes().hex())
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == run.fitted.predict(windows_of(run, tiny_dataset)).tobytes().hex()


def test_trees_do_not_depend_on_the_number_of_threads(runs, tmp_path):
    (tmp_path / "config.yaml").write_text(runs["gradient_boosting"].config.dump())
    script = "import sys, epigx; from epigx.runs.config import RunConfig; "
    script += "epigx.train(RunConfig.load(sys.argv[1]), sys.argv[2])"
    for threads in ("1", "2"):
        command = [sys.executable, "-c", script, tmp_path / "config.yaml", tmp_path / threads]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": threads})
    one, two = ((tmp_path / threads / "model" / "trees.txt").read_bytes() for threads in ("1", "2"))
    assert one == two == (runs["gradient_boosting"].path / "model" / "trees.txt").read_bytes()


@pytest.mark.parametrize("kind", METHODS)
def test_a_prediction_does_not_depend_on_the_other_genes(runs, tiny_dataset, kind):
    run = runs[kind]
    windows, order = windows_of(run, tiny_dataset), np.random.default_rng(0).permutation(60)
    whole = run.fitted.predict(windows)
    np.testing.assert_array_equal(run.fitted.predict(windows.only(order)), whole[order])
    np.testing.assert_array_equal(run.fitted.predict(windows.only(order[:1])), whole[order[:1]])


def test_a_network_predicts_a_gene_alike_in_any_batch(runs, tiny_dataset):
    run = runs["network"]
    windows, order = windows_of(run, tiny_dataset), np.random.default_rng(0).permutation(60)
    whole = run.fitted.predict(windows)
    np.testing.assert_allclose(run.fitted.predict(windows.only(order)), whole[order], atol=1e-6)


def damage(kind, path, how):
    if how == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif path.suffix == ".safetensors":
        arrays = {name: array.copy() for name, array in load_file(path).items()}
        name = max((n for n in arrays if arrays[n].dtype.kind == "f"), key=lambda n: arrays[n].size)
        flat = arrays[name].reshape(-1)
        flat[:2] = flat[1::-1].copy() if how == "swapped" else np.nan
        save_file(arrays, path)
    elif path.suffix == ".json":
        values = json.loads(path.read_text())
        slope, intercept = values["slope"], values["intercept"]
        swapped = {"slope": intercept, "intercept": slope} if how == "swapped" else {"slope": float("nan")}
        path.write_text(json.dumps(values | swapped))
    else:
        lines = path.read_text().splitlines(keepends=True)
        number = next(n for n, line in enumerate(lines) if line.startswith("leaf_value="))
        values = lines[number].removeprefix("leaf_value=").split()
        values[:2] = values[1::-1] if how == "swapped" else ["nan", "nan"]
        lines[number] = f"leaf_value={' '.join(values)}\n"
        path.write_text("".join(lines))


@pytest.mark.parametrize("how", ["truncated", "swapped", "non-finite"])
@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_model_is_refused_by_its_checksum(copied, kind, how):
    folder = copied(kind)
    damage(kind, folder / "model" / FILES[kind], how)
    with pytest.raises(RunError, match=rf"The run is damaged: .*{FILES[kind]} was changed since it was written"):
        _ = open_run(folder).fitted


@pytest.mark.parametrize("how", ["truncated", "non-finite"])
@pytest.mark.parametrize("kind", METHODS)
def test_a_damaged_model_is_refused_by_its_method(copied, kind, how):
    folder = copied(kind)
    run = open_run(folder)
    damage(kind, folder / "model" / FILES[kind], how)
    with pytest.raises(RunError, match=rf"{FILES[kind]} (cannot be read|holds a number that is not finite)"):
        run.config.method.load_fitted(folder / "model", run.inputs)


@pytest.mark.parametrize("kind", ["gradient_boosting", "ridge"])
def test_a_model_of_other_columns_is_refused(copied, kind):
    run = open_run(copied(kind))
    method = run.config.method.model_copy(update={"columns": Columns(bins=5, kmer=1)})
    with pytest.raises(RunError, match=rf"{FILES[kind]} .* columns"):
        method.load_fitted(run.path / "model", run.inputs)


def test_a_run_of_epigx_0_1_is_read_as_before(tiny_run, tmp_path):
    folder = shutil.copytree(tiny_run.path, tmp_path / "old")
    (folder / "model" / "weights.safetensors").rename(folder / "weights.safetensors")
    (folder / "model").rmdir()
    config = yaml.safe_load((folder / "config.yaml").read_text())
    network = config.pop("method")
    del network["kind"]
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, **network}, sort_keys=False))
    provenance = json.loads((folder / "provenance.json").read_text())
    sums = provenance["sha256"]
    from epigx.dataset.store import digest

    provenance["sha256"] = {
        "config.yaml": digest(folder / "config.yaml").sha256,
        "inputs.yaml": sums["inputs.yaml"],
        "weights.safetensors": sums["model/weights.safetensors"],
    }
    (folder / "provenance.json").write_text(json.dumps(provenance))
    old = open_run(folder)
    assert old.config == tiny_run.config
    assert evaluate(old, bootstrap=0).metrics == evaluate(tiny_run, bootstrap=0).metrics
    np.testing.assert_array_equal(predict(old)["predicted"], predict(tiny_run)["predicted"])


def test_runs_of_different_methods_are_one_ensemble(runs):
    table = predict([runs["network"], runs["ridge"], runs["gradient_boosting"]])
    assert table["predicted"].notna().all()
    assert (table["sd"] > 0).all()


def test_a_setting_of_the_method_can_be_named_without_it(tiny_config):
    config = tiny_config()
    assert config.override("objective.alpha=0.1") == config.override("method.objective.alpha=0.1")
    changed = config.override("method.kind=ridge")
    assert changed.method == Ridge()
    assert changed.data == config.data
    assert config.override("method.kind=ridge", "columns.bins=7").method == Ridge(columns=Columns(bins=7))
    with pytest.raises(ConfigError, match=r"--set (method\\.)?objective\\.alhpa.*Did you mean 'alpha'"):
        config.override("objective.alhpa=0.1")
    with pytest.raises(ConfigError, match=r"unknown method 'rigde'\. Did you mean 'ridge'"):
        config.override("method.kind=rigde")


def test_an_unknown_method_lists_all_without_importing_them():
    script = """
import sys
from epigx.errors import ConfigError
from epigx.runs.config import RunConfig
try:
    RunConfig.parse({"data": {"path": "d", "cell_types": ["K562"]}, "method": {"kind": "zzz"}})
except ConfigError as error:
    print(error)
assert "torch" not in sys.modules and "lightgbm" not in sys.modules
assert not [name for name in sys.modules if name.startswith("epigx.baselines")]
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "Choose from: gradient_boosting, network, promoter_activity, ridge." in done.stdout


def test_a_method_trains_in_one_process_unless_it_says_otherwise():
    with pytest.raises(ConfigError, match="'gradient boosting' trains in one process, and 2 were started"):
        GradientBoosting().check_processes(2)
    with pytest.raises(ConfigError, match="--steps 20: the method 'ridge' does not train in steps"):
        Ridge().with_steps(20)


@pytest.mark.parametrize("recipe", [boosting, ridge, activity])
def test_the_recipes_of_baselines_are_saved_and_read_back(recipe, tiny_dataset):
    config = recipe(data=tiny_dataset, cell_type="alpha")
    assert RunConfig.parse(yaml.safe_load(config.dump())) == config
    assert isinstance(config.method, Method)
    assert issubclass(Method, Kind)


@pytest.mark.parametrize("kind", METHODS)
def test_baselines_never_import_torch(runs, tmp_path, kind):
    (tmp_path / "config.yaml").write_text(runs[kind].config.dump())
    script = f"""
import sys, epigx
from epigx.engines.training import train_one
from epigx.runs.config import RunConfig
config, out = RunConfig.load({str(tmp_path / "config.yaml")!r}), {str(tmp_path / "run")!r}
run = epigx.train(config, out)
assert "torch" not in sys.modules, "train"
epigx.evaluate(run, drop=["hic"], window=64, bootstrap=10)
assert "torch" not in sys.modules, "evaluate"
epigx.predict(out)
assert "torch" not in sys.modules, "predict"
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
