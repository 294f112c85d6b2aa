from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from epigx.cli import config
from epigx.cli.config import configure, seconds_of
from epigx.dataset.manifest.split import Split
from epigx.errors import ConfigError


@pytest.fixture(autouse=True)
def dataset(monkeypatch):
    """A dataset of one cell type with windows of 500 bp, which is not looked into."""
    opened = SimpleNamespace(path="data/toy", window=500, cell_types=("K562",))
    monkeypatch.setattr(config, "open_dataset", lambda path: opened)
    return opened


def test_what_is_not_given_comes_from_the_recipe_and_the_dataset():
    config = configure("infer", data="data/toy")
    assert config.data.path == "data/toy"
    assert config.data.cell_types == ("K562",)
    assert config.data.window == 500  # the recipe's 2,000 bp are more than there are
    assert (config.method.training.seed, config.method.training.steps, config.method.training.warmup_steps) == (
        2,
        50_000,
        5_000,
    )


def test_a_long_dataset_is_read_as_the_recipe_says(dataset):
    dataset.window = 10_000
    assert configure("infer", data="data/toy").data.window == 2_000
    assert configure("infer", data="data/toy", window=4_000).data.window == 4_000


@pytest.mark.parametrize("name", ["caduceus-signals", "caduceus_signals"])
def test_a_recipe_is_named_with_either_sign(name):
    assert configure(name, data="x").objective.kind == "regression"


def test_a_network_as_long_as_its_window_follows_the_dataset_and_the_flag(dataset):
    assert configure("hyenadna", data="x").model.backbone.longest == 500
    assert configure("hyenadna", data="x", window=200).model.backbone.longest == 200


def test_a_small_scale(dataset):
    dataset.window = 10_000
    config = configure("mamba", data="x", scale="small")
    assert (config.data.window, config.method.model.backbone.d_model) == (256, 32)
    assert configure("mamba", data="x", scale="small", window=2_000).data.window == 2_000


def test_the_scale_of_a_saved_configuration_is_settled(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(configure("infer", data="x").dump())
    with pytest.raises(ConfigError, match=r"--scale small goes with a recipe; .*config\.yaml already says"):
        configure(str(path), data=None, scale="small")


def test_fewer_steps_shorten_the_warm_up_in_proportion_unless_it_is_set():
    assert configure("infer", data="x", steps=1_000).training.warmup_steps == 100
    assert configure("infer", data="x", steps=1_000, settings=["training.warmup_steps=5"]).training.warmup_steps == 5


def test_settings_have_the_last_word():
    config = configure("infer", data="x", seed=3, settings=["training.seed=4", "objective.n_patterns=4"])
    assert (config.method.training.seed, config.method.objective.n_patterns) == (4, 4)


def test_a_saved_configuration_is_taken_as_it_is_but_for_the_flags(tmp_path):
    saved = configure("infer", data="x", settings=["objective.alpha=0.3"])
    path = tmp_path / "config.yaml"
    path.write_text(saved.dump())
    assert configure(str(path), data=None) == saved
    changed = configure(str(path), data="y", cell_types=["A", "B"], seed=7, steps=100, window=64)
    assert changed.data.path == "y"
    assert changed.data.cell_types == ("A", "B")
    assert changed.data.window == 64
    assert (changed.training.seed, changed.training.steps, changed.training.warmup_steps) == (7, 100, 10)
    assert changed.objective == saved.objective


def test_a_cell_type_has_to_be_chosen_where_there_are_several(dataset):
    dataset.cell_types = ("K562", "HepG2")
    with pytest.raises(ConfigError, match=r"several cell types \(K562, HepG2\)\. Choose with --cell-type\."):
        configure("infer", data="x")
    assert configure("infer", data="x", cell_types=["HepG2"]).data.cell_types == ("HepG2",)


def test_a_fold_is_a_split():
    assert configure("infer", data="x", fold=11).data.split == Split(valid=("chr3", "chr21"), test=("chr22", "chrX"))
    for number in (-1, 0, 13):
        with pytest.raises(ConfigError, match=rf"^There is no fold {number}\. Choose one from 1 to 12; the paper's"):
            configure("infer", data="x", fold=number)


@pytest.mark.parametrize(
    ("setting", "blamed"),
    [
        ("training.steps=2", "training: warmup_steps (5000) must be below steps (2)"),
        ("training.precision=fp8", "training.precision: "),
        ("data.split=fold-x", "data.split: 'fold-x' is no split"),
    ],
)
def test_a_setting_that_cannot_work_is_blamed_and_no_flag_beside_it(setting, blamed):
    with pytest.raises(ConfigError, match=re.escape(f"--set {setting}: {blamed}")) as refused:
        configure("infer", data="x", fold=3, settings=[setting])
    assert "--fold" not in str(refused.value)


def test_a_flag_that_cannot_work_is_blamed_as_it_was_typed(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(configure("infer", data="x").dump())
    with pytest.raises(ConfigError, match=r"^--window 0: data\.window: Input should be greater than or equal to 2"):
        configure(str(path), data=None, window=0, seed=3)
    with pytest.raises(ConfigError, match=r"^window: Input should be greater than or equal to 2 \(got 0\)"):
        configure("infer", data="x", window=0)


def test_a_name_that_looks_like_yaml_stays_a_name():
    path_like = configure("infer", data="x", cell_types=["on"])
    assert path_like.data.cell_types == ("on",)


def test_unknown_recipe_and_missing_data():
    with pytest.raises(ConfigError, match=r"no recipe 'infre'\. Did you mean 'infer'\?"):
        configure("infre", data="x")
    with pytest.raises(ConfigError, match="needs a dataset: give --data FOLDER"):
        configure("infer", data=None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400), (" 30 M ", 1800)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 weeks"])
def test_what_is_no_duration(text):
    with pytest.raises(ConfigError, match=r"is not a duration\. Write 90s, 30m, 12h or 2d\."):
        seconds_of(text)
