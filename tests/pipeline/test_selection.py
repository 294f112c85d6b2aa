"""Training of models that draw a mask."""

from __future__ import annotations

import pytest

from epigx import recipes
from epigx.errors import DatasetError
from epigx.evaluation.predict import predict
from epigx.training.train import train

SHORT = ("training.steps=2", "training.warmup_steps=1", "training.threads=1", "model.blacklist=false")


@pytest.mark.parametrize("recipe", [recipes.seq2exp_soft, recipes.seq2exp_hard])
def test_draws_are_repeated_by_the_seed_and_told_in_the_log(recipe, tiny_dataset, tmp_path):
    config = recipe(data=tiny_dataset, cell_type="alpha", window=96, scale="small").override(*SHORT)
    runs = [train(config, tmp_path / name) for name in ("first", "second")]
    assert {"train_prediction", "train_kl", "train_continuity", "train_mask"} <= set(runs[0].log.columns)
    assert runs[0].log["train_kl"].equals(runs[1].log["train_kl"])
    tables = [predict([run], data=tiny_dataset, cell_type="alpha", split="test") for run in runs]
    assert tables[0]["predicted"].equals(tables[1]["predicted"])


def test_a_dataset_without_regions_says_what_to_do(tiny_dataset, tmp_path):
    make = {"data": tiny_dataset, "cell_type": "alpha", "window": 96, "scale": "small"}
    with pytest.raises(DatasetError, match=r"has no blacklist, which the model reads\. Set model\.blacklist to false"):
        train(recipes.seq2exp_soft(**make), tmp_path / "soft")
    with pytest.raises(DatasetError, match="has no peaks for alpha, which the model reads"):
        train(recipes.macs3_mask(**make), tmp_path / "peaks")
