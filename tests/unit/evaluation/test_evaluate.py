"""Scores of a run: on which genes, read how, and never on those it was trained on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError, LeakageError
from epigx.evaluation.evaluate import evaluate
from epigx.evaluation.target import trained_on
from epigx.runs.folder import open_run, write_run


def test_the_validation_scores_are_those_of_the_run(tiny_run):
    found = evaluate(tiny_run, split="valid", bootstrap=0)
    assert found.metrics.mse == pytest.approx(tiny_run.metrics["mse"], rel=1e-5)
    assert found.metrics.mae == pytest.approx(tiny_run.metrics["mae"], rel=1e-5)
    assert found.metrics.pearson == pytest.approx(tiny_run.metrics["pearson"], rel=1e-4)
    assert found.metrics.n_genes == 12


def test_the_test_genes_are_scored_by_default(tiny_run, tiny_dataset):
    found = evaluate(tiny_run, bootstrap=50)
    assert (found.split, found.cell_type, found.window, found.drop) == ("test", "alpha", 128, ())
    assert set(found.genes["chrom"]) == {"chr4"}
    assert (found.data, found.run) == (tiny_dataset, tiny_run.path)
    assert found.overlap == ()
    assert found.intervals["mse"].low < found.metrics.mse < found.intervals["mse"].high


def test_a_folder_serves_as_well_as_a_run(tiny_run):
    assert evaluate(tiny_run.path, bootstrap=20) == evaluate(str(tiny_run.path), bootstrap=20)


@pytest.mark.parametrize("size", [1, 5])
def test_scores_do_not_depend_on_the_batch_size(tiny_run, size):
    one, other = evaluate(tiny_run, bootstrap=0), evaluate(tiny_run, bootstrap=0, batch_size=size)
    np.testing.assert_allclose(one.genes["predicted"], other.genes["predicted"], atol=1e-6)
    assert one.metrics.mse == pytest.approx(other.metrics.mse, rel=1e-5)


def test_a_dropped_signal_is_read_as_zero(tiny_run, tiny_dataset, tmp_path):
    shutil.copytree(tiny_dataset, tmp_path / "data")
    path = tmp_path / "data" / "signals" / "alpha.npy"
    values = np.load(path)
    values[..., 0] = 0
    np.save(path, values)
    dropped = evaluate(tiny_run, drop=["h3k27ac"], bootstrap=0)
    zeroed = evaluate(tiny_run, data=tmp_path / "data", bootstrap=0)
    np.testing.assert_array_equal(dropped.genes["predicted"], zeroed.genes["predicted"])
    assert dropped.drop == ("h3k27ac",)
    assert dropped.metrics.mse != evaluate(tiny_run, bootstrap=0).metrics.mse


def test_a_shorter_window_is_the_centre_of_the_window(tiny_run):
    found = evaluate(tiny_run, window=64, bootstrap=0)
    assert found.window == 64
    assert not np.array_equal(found.genes["predicted"], evaluate(tiny_run, bootstrap=0).genes["predicted"])
    assert evaluate(tiny_run, window=128, bootstrap=0) == evaluate(tiny_run, bootstrap=0)


@pytest.mark.parametrize("split", ["train", "all"])
def test_a_run_is_not_scored_where_it_was_trained(tiny_run, split):
    with pytest.raises(LeakageError, match=r"was trained on genes of chr1, chr2, so .* --allow-overlap"):
        evaluate(tiny_run, split=split)
    found = evaluate(tiny_run, split=split, allow_overlap=True, bootstrap=0)
    assert found.overlap == ("chr1", "chr2")
    assert found.to_dict()["overlap"] == ["chr1", "chr2"]


def test_the_leak_guard_knows_both_namings_of_chromosomes(tiny_run, tiny_dataset, tmp_path):
    dataset = open_dataset(tiny_dataset)
    dataset.genes["chrom"] = dataset.genes["chrom"].str.removeprefix("chr")
    assert evaluate(tiny_run, data=dataset, bootstrap=0).metrics == evaluate(tiny_run, bootstrap=0).metrics
    with pytest.raises(LeakageError, match="trained on genes of 1, 2"):
        evaluate(tiny_run, data=dataset, split="all")


def test_the_leak_guard_knows_genes_on_other_chromosomes(tiny_run, tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    moved = dataset.genes.index[:3]
    dataset.genes.loc[moved, "chrom"] = "chr4"
    with pytest.raises(LeakageError, match="trained on genes of chr4, so scores there say nothing about unseen genes"):
        evaluate(tiny_run, data=dataset)
    assert evaluate(tiny_run, data=dataset, allow_overlap=True, bootstrap=0).overlap == ("chr4",)


def test_the_leak_guard_does_without_the_versions_of_genes(tiny_run):
    origin = tiny_run.provenance.model_copy(
        update={"genes_trained": ("ENSG01.3", "YAL001.2"), "chromosomes_trained": ()}
    )
    genes = pd.DataFrame({"gene_id": ["ENSG01.7", "ENSG02.3", "YAL001.2", "YAL001.1"], "chrom": "chr1"})
    assert trained_on(replace(tiny_run, provenance=origin), genes).tolist() == [True, False, True, False]


def test_other_data_is_split_as_the_run_was(tiny_run, make_dataset, tmp_path):
    other = open_dataset(make_dataset(tmp_path / "other", seed=1))
    shifted = other.about.model_copy(update={"split": other.split.model_copy(update={"valid": (), "test": ("chr1",)})})
    object.__setattr__(other, "about", shifted)
    found = evaluate(tiny_run, data=other, bootstrap=0)
    assert set(found.genes["chrom"]) == {"chr4"}  # not chr1, which the run was trained on


def test_genes_without_a_label_are_left_out_and_counted(tiny_run, tiny_dataset):
    expression = open_dataset(tiny_dataset).expression("beta")[48:]
    found = evaluate(tiny_run, cell_type="beta", bootstrap=0)
    assert found.metrics.n_genes == np.isfinite(expression).sum() < 12
    assert found.n_without_label == np.isnan(expression).sum()
    assert found.cell_type == "beta"


def test_genes_with_little_dna_are_left_out_as_in_training(tiny_run, tmp_path):
    config = tiny_run.config.override("data.min_dna_coverage=0.9")
    run = write_run(
        tmp_path / "run", config=config, inputs=tiny_run.inputs, fitted=tiny_run.fitted,
        metrics={}, provenance=tiny_run.provenance,
    )  # fmt: skip
    found = evaluate(run, bootstrap=0)
    assert (found.metrics.n_genes, found.n_low_coverage) == (10, 2)


def test_a_cell_type_without_labels_cannot_be_scored(tiny_run):
    with pytest.raises(DatasetError, match=r"no gene of the split 'test' has a label in bare. .*`predict` needs no"):
        evaluate(tiny_run, cell_type="bare")


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        ({"cell_type": "alhpa"}, DatasetError, "has no cell type 'alhpa'. Did you mean 'alpha'"),
        ({"drop": ["dnsae"]}, DatasetError, "reads no signal 'dnsae' that could be dropped. Did you mean 'dnase'"),
        ({"drop": "dnsae"}, DatasetError, "reads no signal 'dnsae' that could be dropped"),
        ({"window": 256}, DatasetError, "has windows of 128 bp, but 256 bp are asked for"),
        ({"window": 63}, ConfigError, "window"),
        ({"data": "nowhere"}, DatasetError, "nowhere is not a dataset"),
    ],
)
def test_what_cannot_be_read_is_reported(tiny_run, asked, kind, message):
    with pytest.raises(kind, match=message):
        evaluate(tiny_run, **asked)


def test_one_of_several_cell_types_has_to_be_named(tiny_run, make_dataset, tmp_path):
    only = make_dataset(tmp_path / "only", cell_types=("gamma",))
    assert evaluate(tiny_run, data=only, bootstrap=0).cell_type == "gamma"
    several = make_dataset(tmp_path / "several", cell_types=("gamma", "delta"))
    with pytest.raises(DatasetError, match=r"has several cell types \(gamma, delta\). Choose one with --cell-type"):
        evaluate(tiny_run, data=several)


def test_a_run_that_names_no_dataset_needs_one(tiny_run, tiny_dataset, tmp_path):
    run = write_run(
        tmp_path / "run", config=tiny_run.config.override("data.path=''"), inputs=tiny_run.inputs,
        fitted=tiny_run.fitted, metrics={}, provenance=tiny_run.provenance,
    )  # fmt: skip
    with pytest.raises(DatasetError, match=r"does not name its dataset. Give one with --data"):
        evaluate(run)
    assert evaluate(run, data=tiny_dataset, bootstrap=0).metrics == evaluate(tiny_run, bootstrap=0).metrics


def test_a_dataset_that_changed_since_training_gives_a_warning(tiny_run, tmp_path, caplog):
    shutil.copytree(tiny_run.path, tmp_path / "run")
    provenance = tmp_path / "run" / "provenance.json"
    provenance.write_text(provenance.read_text().replace(tiny_run.provenance.dataset_hash, "0" * 64))
    evaluate(open_run(tmp_path / "run"), bootstrap=0)
    assert "has changed since" in caplog.text


def test_an_evaluation_becomes_json(tiny_run):
    values = json.loads(json.dumps(evaluate(tiny_run, drop=["hic"], bootstrap=20).to_dict()))
    assert {"mse", "mae", "pearson", "spearman", "n_genes"} <= values.keys()
    assert values["intervals"]["mse"][0] <= values["mse"] <= values["intervals"]["mse"][1]
    assert values["drop"] == ["hic"]
