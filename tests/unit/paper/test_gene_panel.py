"""The query for genes like those of Figure 4."""

from __future__ import annotations

import json

import numpy as np
import pytest

from epigx.dataset.store import open_dataset
from epigx.errors import DatasetError
from epigx.paper import genes_like_figure4


def test_a_gene_of_the_pattern_is_found(make_dataset, tmp_path):
    path = make_dataset(tmp_path / "data")
    values = np.load(path / "signals" / "alpha.npy")
    dataset = open_dataset(path)
    expression = dataset.expression("alpha").copy()
    planted = 55  # on chr4, the test chromosome
    values[planted, :, 0], values[planted, :, 1:] = 0, 9
    lowest = int(np.argmin(np.where(np.arange(60) >= 48, expression, np.inf)))
    values[lowest, :, 0], values[lowest, :, 1:] = 0, 9  # the weakest gene has the pattern, too
    np.save(path / "signals" / "alpha.npy", values)
    found = genes_like_figure4(open_dataset(path), "alpha", window=64)
    assert len(found) == 12
    assert set(found["chrom"]) == {"chr4"}
    assert found["row"][0] == lowest
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(0, 1).all()


def test_missing_roles_and_labels_are_reported(make_dataset, tmp_path):
    path = make_dataset(tmp_path / "data")
    with pytest.raises(DatasetError, match="no gene of the split 'test' has a label in bare"):
        genes_like_figure4(open_dataset(path), "bare", window=64)
    about = json.loads((path / "dataset.json").read_text())
    about["signals"][0]["role"] = "background"
    (path / "dataset.json").write_text(json.dumps(about))
    with pytest.raises(DatasetError, match="has no foreground signal, and Figure 4 needs both roles"):
        genes_like_figure4(open_dataset(path), "alpha", window=64)
