"""Simulated runs, small enough to draw quickly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from epigx.metrics import bootstrap
from epigx.report.collect import DatasetContents, RunContents

N = 80


@pytest.fixture
def make_run():
    """Return a function that makes a run with a given error of its predictions."""

    def make(name="infer-2", *, error=0.3, **changes):
        random = np.random.default_rng(0)
        observed = np.abs(random.normal(1.2, 0.8, N))
        predicted = observed + error * random.normal(size=N)
        scores = bootstrap(observed, predicted, resamples=50)
        worse = bootstrap(observed, predicted + random.normal(size=N), resamples=50)
        steps = pd.Index([50, 100, 150], name="step")
        values = {
            "name": name,
            "about": "objective backdoor · 256 bp",
            "cell_type": "simA",
            "also_trained_on": (),
            "settings": {"objective.alpha": "1.0"},
            "provenance": {"Kernel": "torch", "Seed": "2"},
            "fitted": {},
            "losses": pd.DataFrame({"prediction": [0.9, 0.5, 0.4], "diversity": [1.2, 1.1, 1.0]}, index=steps),
            "validation": pd.Series([0.8, 0.4, 0.45], index=steps),
            "chosen": 100,
            "signals": ("h3k27ac", "dnase"),
            "gene_id": np.array([f"gene{i}" for i in range(N)], dtype=object),
            "left_out": {"without a label": 3},
            "observed": observed,
            "predicted": predicted,
            "scores": scores,
            "drops": {(): scores, ("h3k27ac",): worse, ("dnase",): scores, ("h3k27ac", "dnase"): worse},
            "patterns": random.uniform(size=(N, 2, 16)),
        }
        return RunContents(**{**values, **changes})

    return make


@pytest.fixture
def data():
    random = np.random.default_rng(1)
    expression = np.where(random.uniform(size=N) < 0.1, np.nan, random.uniform(0, 3, N))
    return DatasetContents(
        path="data/toy",
        assembly="simulated",
        simulated=True,
        window=256,
        coverage={"simA": {"h3k27ac": 0.9, "dnase": 0.25}},
        expression={"simA": expression},
        genes={"train": 60, "valid": 10, "test": 10},
        unlabelled={"train": 5, "valid": 1, "test": 0},
        dna_coverage=np.linspace(0.9, 1.0, N),
    )
