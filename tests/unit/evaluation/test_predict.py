"""Prediction tables of one run and of several."""

from __future__ import annotations

import numpy as np
import pytest

from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError
from epigx.evaluation.evaluate import evaluate
from epigx.evaluation.predict import predict
from epigx.training.train import train


@pytest.fixture(scope="module")
def other_run(tiny_config, tmp_path_factory):
    """Return a run of another seed that reads a shorter window, fewer signals and other features."""
    config = tiny_config(
        "training.seed=3", "data.window=64", "data.signals=[dnase, h3k27ac]", "data.features=[promoter]"
    )
    return train(config, tmp_path_factory.mktemp("other") / "run")


def test_one_run_predicts_every_gene(tiny_run, tiny_dataset):
    table = predict(tiny_run)
    genes = open_dataset(tiny_dataset).genes
    assert list(table) == [
        "gene_id", "symbol", "chrom", "tss", "strand", "predicted", "observed", "trained_on", "dna_coverage",
        "low_coverage",
    ]  # fmt: skip
    assert table["gene_id"].tolist() == genes["gene_id"].tolist()
    assert table["trained_on"].tolist() == genes["chrom"].isin(["chr1", "chr2"]).tolist()
    np.testing.assert_allclose(table["observed"], genes["expression:alpha"], rtol=1e-6)


def test_predictions_are_those_that_are_scored(tiny_run):
    scored = evaluate(tiny_run, bootstrap=0).genes
    table = predict(tiny_run, split="test")
    assert table["gene_id"].tolist() == scored["gene_id"].tolist()
    np.testing.assert_array_equal(table["predicted"], np.maximum(scored["predicted"], 0))


def test_several_runs_give_their_mean_and_spread_with_different_inputs(tiny_run, other_run):
    both = predict([tiny_run, other_run.path])
    one, two = predict(tiny_run)["predicted"], predict([other_run])["predicted"]
    np.testing.assert_allclose(both["predicted"], (one + two) / 2, rtol=1e-5)
    np.testing.assert_allclose(both["sd"], np.abs(one - two) / np.sqrt(2), rtol=1e-3, atol=1e-6)


def test_a_cell_type_without_labels_is_predicted(tiny_run):
    table = predict(tiny_run, cell_type="bare")
    assert table["observed"].isna().all()
    assert table["predicted"].notna().all()
    assert not np.array_equal(table["predicted"], predict(tiny_run)["predicted"])


def test_other_data_is_predicted(tiny_run, other_run, make_dataset, tmp_path):
    table = predict([tiny_run, other_run], data=make_dataset(tmp_path / "new", seed=4, cell_types=("gamma",)))
    assert len(table) == 60


def test_the_batch_size_does_not_matter(tiny_run):
    np.testing.assert_allclose(predict(tiny_run, batch_size=1)["predicted"], predict(tiny_run)["predicted"], atol=1e-6)


def test_no_run_predicts_nothing():
    with pytest.raises(ConfigError, match="No run to predict with"):
        predict([])


def test_runs_of_different_splits_share_no_test_genes(tiny_run, tiny_config, tmp_path):
    run = train(tiny_config("data.split={valid: [chr2], test: [chr1]}"), tmp_path / "run")
    with pytest.raises(ConfigError, match="hold out different chromosomes: there is no common 'test' split"):
        predict([tiny_run, run], split="test")
    assert predict([tiny_run, run])["trained_on"].all()


def test_data_without_a_signal_of_the_run_is_reported(tiny_run, tiny_dataset):
    dataset = open_dataset(tiny_dataset)
    fewer = dataset.about.model_copy(update={"signals": dataset.signals[:2]})
    object.__setattr__(dataset, "about", fewer)
    with pytest.raises(DatasetError, match="has no signal 'hic'"):
        predict(tiny_run, data=dataset)


def test_progress_counts_the_genes_of_all_runs(tiny_run):
    calls = []
    table = predict([tiny_run, tiny_run], batch_size=10, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (2 * len(table), 2 * len(table))
    assert [done for done, _ in calls] == sorted({done for done, _ in calls})
