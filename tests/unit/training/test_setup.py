"""What is found wrong before training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from epigx.dataset.manifest.split import Split, fold
from epigx.dataset.store import open_dataset
from epigx.errors import ConfigError, DatasetError
from epigx.runs.config import RunConfig
from epigx.runs.gene_selection import rows_of
from epigx.runs.training_data import choose_training_data
from epigx.training import setup
from epigx.training.train import train


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ("data.path=nowhere", DatasetError, "nowhere is not a dataset"),
        ("data.cell_types=[alhpa]", DatasetError, "has no cell type 'alhpa'. Did you mean 'alpha'?"),
        ("data.signals=[dnsae]", DatasetError, "has no signal 'dnsae'. Did you mean 'dnase'?"),
        ("data.features=[lenght]", DatasetError, "has no feature 'lenght'. Did you mean 'length'?"),
        ("data.window=256", DatasetError, "has windows of 128 bp, but 256 bp are asked for"),
        ("data.transforms={hic: log2}", ConfigError, "log2"),
        ("data.cell_types=[bare]", DatasetError, "no gene of the training chromosomes has a label in bare"),
        (
            "data.split={valid: [], test: [chr4]}",
            DatasetError,
            r"no gene of the validation chromosomes \(\) has a label in alpha. Set data.split",
        ),
        (
            "data.split={valid: [chr9], test: [chr4]}",
            DatasetError,
            r"has no gene on chr9, which data.split holds out. Choose among its chromosomes: chr1, chr2, chr3, chr4\.$",
        ),
        (
            "data.split=fold-2",
            DatasetError,
            r"has no gene on chr12, chr13, which data.split holds out",
        ),
        ("data.signals=[]", ConfigError, "signals"),
    ],
)
def test_errors_are_found_before_anything_is_written(tiny_config, tmp_path, change, kind, message):
    with pytest.raises(kind, match=message):
        train(tiny_config(change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def prepared(config: RunConfig) -> setup.Material:
    """Choose the data and build the networks."""
    return setup.prepare(config.method, choose_training_data(config.data, config.method.needs))


def test_values_that_a_transform_forbids_are_found_before_the_first_batch(tiny_config, make_dataset, tmp_path):
    data = make_dataset(tmp_path / "data")
    values = np.load(data / "signals" / "alpha.npy")
    values[25, 64, 2] = -0.5
    values[50, 64, 1] = -0.5  # of a test gene, which training does not read
    np.save(data / "signals" / "alpha.npy", values)
    config = tiny_config(f"data.path={data}")
    prepared(config)
    prepared(config.override("data.transforms={hic: asinh, dnase: log1p}"))
    message = r"the signal 'hic' reaches -0\.5 in alpha, and sqrt takes no negative values\. Set data\.transforms"
    with pytest.raises(DatasetError, match=message):
        prepared(config.override("data.transforms={hic: sqrt}"))


@pytest.mark.parametrize(("precision", "expected"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_memory_is_spared_where_layers_are_recomputed(tiny_config, monkeypatch, precision, expected):
    spared = []
    monkeypatch.setattr("epigx.training.setup.spare_memory", lambda *given: spared.append(given))
    prepared(tiny_config())
    assert not spared
    material = prepared(tiny_config("training.checkpoint_layers=true", f"training.precision={precision}"))
    assert spared == [(material.networks.model, material.device, expected)]


def test_a_fold_is_kept_as_its_chromosomes(tiny_config):
    config = tiny_config("data.split=fold-4")
    assert config.data.split == fold(4)
    assert "valid:\n    - chr4\n    - chr14\n" in config.dump()


def test_inputs_are_fitted_only_on_labelled_training_genes(tiny_config, tiny_dataset):
    material = prepared(tiny_config("data.cell_types=[beta]"))
    dataset = open_dataset(tiny_dataset)
    values = dataset.feature_values("beta")[:, 1]
    training = np.isin(dataset.genes["chrom"], ["chr1", "chr2"]) & np.isfinite(dataset.expression("beta"))
    assert material.inputs.features[1].mean == pytest.approx(values[training].mean())
    assert material.inputs.features[1].mean != pytest.approx(values.mean())
    assert len(material.train) == training.sum()


def test_rows_of_a_split(tiny_dataset):
    dataset, split = open_dataset(tiny_dataset), Split(valid=("1",), test=("2",))
    assert rows_of(dataset, "valid", split).tolist() == list(range(20))
    assert rows_of(dataset, "test", split).tolist() == list(range(20, 36))
    assert rows_of(dataset, "train", split).tolist() == list(range(36, 60))
    assert len(rows_of(dataset, "all", split)) == 60
    assert rows_of(dataset, "valid", split, min_dna_coverage=0.5).tolist() == [i for i in range(20) if i % 10 != 9]


def test_known_bases_are_counted_in_the_part_of_the_window_asked_for(tiny_dataset):
    dataset, split = open_dataset(tiny_dataset), Split(valid=("1",), test=("2",))
    half = dataset.window // 2
    central = dataset.sequence[:, half // 2 : half // 2 + half]
    known = np.flatnonzero((central != 4).mean(1) >= 0.9)
    assert rows_of(dataset, "all", split, min_dna_coverage=0.9, coverage_window=half).tolist() == known.tolist()
    with pytest.raises(DatasetError, match=r"data\.coverage_window"):
        rows_of(dataset, "all", split, coverage_window=2 * dataset.window)


def test_without_dna_the_sequence_is_empty(tiny_config):
    material = prepared(tiny_config("data.dna=false"))
    assert not material.train[0].sequence.any()
    assert not material.inputs.dna
