"""EPInformer and the mask of peaks, by the command line, on what the simulator gives them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import epigx as gx
from epigx.dataset.inputs import fit_inputs
from epigx.dataset.windows import Windows

STEPS = ("--scale", "small", "--steps", 2, "--set", "training.threads=1")


@pytest.mark.parametrize("recipe", ["epinformer", "macs3-mask"])
def test_the_simulated_genome_serves_it(recipe, epigx, dataset, tmp_path):
    trained = epigx("train", recipe, "--data", dataset, "--cell-type", "simA", *STEPS, "-o", tmp_path / "run")
    assert trained.status == 0, trained.err
    ended = epigx("evaluate", tmp_path / "run", "--split", "test", "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out)["n_genes"] > 0


def test_a_dataset_says_what_it_holds(epigx, dataset):
    summary = json.loads(epigx("info", dataset, "--json").out)
    assert (summary["peaks"], summary["blacklist"], summary["elements_per_gene"]) == (["simA", "simB"], True, 8)


def test_elements_count_among_the_bases_in_flight(dataset):
    opened = gx.open_dataset(dataset)
    inputs = fit_inputs(opened, ("simA",), np.arange(4), window=128)
    assert Windows(opened, "simA", np.arange(4), inputs).bases == 128
    elements = opened.about.regions.elements
    assert elements is not None
    with_elements = Windows(opened, "simA", np.arange(4), inputs, needs=("elements",))
    assert with_elements.bases == 128 + (1 + elements.count) * elements.length


def test_a_dataset_without_elements_says_how_to_add_them(refused, tiny_dataset, tmp_path):
    said = refused(
        "train", "epinformer", "--data", tiny_dataset, "--cell-type", "alpha", *STEPS, "-o", tmp_path / "run"
    )
    assert said == (
        f"{tiny_dataset} has no elements for alpha, which the model reads. "
        "Put `elements: {}` in the manifest, and `peaks:` for every cell type, and build again."
    )
