from __future__ import annotations

from types import SimpleNamespace

import pytest

from epigx import recipes
from epigx.cli import config
from epigx.cli.config import check_names
from epigx.errors import ConfigError, DatasetError
from epigx.recipes.registry import RECIPES


@pytest.fixture(autouse=True)
def dataset(monkeypatch):
    """A dataset of two cell types, whose files are not read."""
    opened = SimpleNamespace(path="data/toy", cell_types=("K562", "HepG2"))
    monkeypatch.setattr(config, "open_dataset", lambda path: opened)
    return opened


def test_every_recipe_is_known():
    assert set(RECIPES) == {name.replace("_", "-") for name in recipes.__all__ if name.islower()}


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("infre", "x", ()), ConfigError, r"There is no recipe 'infre'\. Did you mean 'infer'\?"),
        (("infer", None, ()), ConfigError, r"The recipe 'infer' needs a dataset\. Add --data FOLDER"),
        (
            ("infer", "x", ()),
            ConfigError,
            r"data/toy has several cell types \(K562, HepG2\)\. Choose with --cell-type\.",
        ),
        (("infer", "x", ("K56",)), DatasetError, r"data/toy has no cell type 'K56'\. Did you mean 'K562'\?"),
    ],
)
def test_wrong_names_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        check_names(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [("infer", "x", ("K562",)), ("seq2exp_hard", "x", ("K562", "HepG2")), ("a.yaml", None, ()), ("a.yaml", "x", ())],
)
def test_right_names_pass(arguments):
    check_names(*arguments)


def test_a_run_for_each_cell_type_needs_no_choice(dataset):
    assert check_names("infer", "x", (), each=True) is dataset


def test_recipes_of_plug_ins_are_left_to_the_full_check(monkeypatch):
    monkeypatch.setattr(config, "recipe_names", lambda: ["infer", "mine"])
    check_names("mine", "x", ("K562",))
    with pytest.raises(ConfigError, match="no recipe 'yours'"):
        check_names("yours", "x", ("K562",))
