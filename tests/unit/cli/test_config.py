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
    """A dataset of one cell type with windows of 500 bp, whose files are not read."""
    opened = SimpleNamespace(path="data/toy", window=500, cell_types=("K562",))
    monkeypatch.setattr(config, "open_dataset", lambda path: opened)
    return opened


def test_defaults_come_from_the_recipe_and_the_dataset():
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
def test_a_recipe_is_named_with_hyphens_or_underscores(name):
    assert configure(name, data="x").method.objective.kind == "regression"


def test_a_network_as_long_as_its_window_follows_the_dataset_and_the_flag(dataset):
    assert configure("hyenadna", data="x").method.model.backbone.longest == 500
    assert configure("hyenadna", data="x", window=200).method.model.backbone.longest == 200


def test_a_small_scale(dataset):
    dataset.window = 10_000
    config = configure("mamba", data="x", scale="small")
    assert (config.data.window, config.method.model.backbone.d_model) == (256, 32)
    assert configure("mamba", data="x", scale="small", window=2_000).data.window == 2_000


def test_a_saved_configuration_has_no_scale(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(configure("infer", data="x").dump())
    with pytest.raises(ConfigError, match=r"--scale small needs the name of a recipe; .*config\.yaml sets the size"):
        configure(str(path), data=None, scale="small")


def test_fewer_steps_shorten_the_warm_up_in_proportion_unless_it_is_set():
    assert configure("infer", data="x", steps=1_000).method.training.warmup_steps == 100
    assert (
        configure("infer", data="x", steps=1_000, settings=["training.warmup_steps=5"]).method.training.warmup_steps
        == 5
    )


def test_settings_override_options():
    config = configure("infer", data="x", seed=3, settings=["training.seed=4", "objective.n_patterns=4"])
    assert (config.method.training.seed, config.method.objective.n_patterns) == (4, 4)


def test_options_change_a_saved_configuration(dataset, tmp_path):
    saved = configure("infer", data="x", settings=["objective.alpha=0.3"])
    path = tmp_path / "config.yaml"
    path.write_text(saved.dump())
    assert configure(str(path), data=None) == saved
    dataset.cell_types = ("A", "B")
    changed = configure(str(path), data="y", cell_types=["A", "B"], seed=7, steps=100, window=64)
    assert changed.data.path == "y"
    assert changed.data.cell_types == ("A", "B")
    assert changed.data.window == 64
    assert (changed.method.training.seed, changed.method.training.steps, changed.method.training.warmup_steps) == (
        7,
        100,
        10,
    )
    assert changed.method.objective == saved.method.objective


def test_one_of_several_cell_types_must_be_chosen(dataset):
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
        ("data.split=fold-x", "data.split: 'fold-x' is not a split"),
    ],
)
def test_the_error_of_an_invalid_setting_names_the_setting_only(setting, blamed):
    with pytest.raises(ConfigError, match=re.escape(f"--set {setting}: {blamed}")) as refused:
        configure("infer", data="x", fold=3, settings=[setting])
    assert "--fold" not in str(refused.value)


def test_the_error_of_an_invalid_option_names_it_as_it_was_typed(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(configure("infer", data="x").dump())
    with pytest.raises(ConfigError, match=r"^--window 0: data\.window: Input should be greater than or equal to 2"):
        configure(str(path), data=None, window=0, seed=3)
    with pytest.raises(ConfigError, match=r"^window: Input should be greater than or equal to 2 \(got 0\)"):
        configure("infer", data="x", window=0)


def test_a_name_that_looks_like_yaml_stays_a_name(dataset):
    dataset.cell_types = ("on",)
    path_like = configure("infer", data="x", cell_types=["on"])
    assert path_like.data.cell_types == ("on",)


def test_an_unknown_recipe_and_missing_data_are_errors():
    with pytest.raises(ConfigError, match=r"no recipe 'infre'\. Did you mean 'infer'\?"):
        configure("infre", data="x")
    with pytest.raises(ConfigError, match=r"needs a dataset\. Add --data FOLDER"):
        configure("infer", data=None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("1d", 86400), (" 30 M ", 1800)]
)
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 weeks"])
def test_an_invalid_duration_is_an_error(text):
    with pytest.raises(ConfigError, match=r"is not a duration\. Write 90s, 30m, 12h or 2d\."):
        seconds_of(text)
