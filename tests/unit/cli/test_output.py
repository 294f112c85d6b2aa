from __future__ import annotations

import os
import re

import pytest

from epigx.cli.options import check_output
from epigx.errors import ConfigError, InputError


@pytest.mark.parametrize("name", ["new.tsv", "deep/below/new.tsv"])
def test_a_new_file_is_accepted_and_nothing_is_written_yet(tmp_path, name):
    check_output(tmp_path / name, force=False, suffixes=(".tsv",))
    assert not list(tmp_path.iterdir())


def test_an_existing_file_needs_force(tmp_path):
    out = tmp_path / "old.tsv"
    out.write_text("mine")
    with pytest.raises(
        InputError, match=r"old\.tsv already exists\. Choose another name, or replace it with --force\."
    ):
        check_output(out, force=False)
    check_output(out, force=True)
    assert out.read_text() == "mine"


def test_a_folder_is_refused_even_with_force(tmp_path):
    with pytest.raises(InputError, match=r"is a folder\. Give the path of a file\."):
        check_output(tmp_path, force=True)


def test_the_error_of_an_unknown_suffix_names_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=re.escape("a.xlsx has an unknown suffix. Use one of .tsv, .csv.")):
        check_output(tmp_path / "a.xlsx", force=False, suffixes=(".tsv", ".csv"))


def test_a_file_or_a_broken_link_is_not_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(InputError, match=rf"cannot be written: .*{name} is not a folder\. Choose another path\."):
            check_output(tmp_path / name / "deep" / "out.tsv", force=False)


def test_a_folder_that_is_not_writable_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # whoever runs this may be root
    with pytest.raises(InputError, match=r"is not writable\. Choose a folder that you can write to\."):
        check_output(tmp_path / "out.tsv", force=False)
