from __future__ import annotations

import os
import sys

import pytest

from epigx.engines import Dask, Engine, Local, Slurm, Task
from epigx.engines.base import attempt, missing_extra
from epigx.errors import ConfigError, InputError


def test_an_engine_is_chosen_by_its_kind():
    assert Engine.members().items() >= {"local": Local, "slurm": Slurm, "dask": Dask}.items()
    assert Engine.parse({"kind": "slurm", "partition": "gpu"}) == Slurm(partition="gpu")
    with pytest.raises(ConfigError, match=r"unknown engine 'slrum'\. Did you mean 'slurm'\?"):
        Engine.parse({"kind": "slrum"})


def test_a_task_runs_here(tmp_path):
    assert attempt(Task("make", os.mkdir, (tmp_path / "made",))).state == "done"
    assert (tmp_path / "made").is_dir()


def test_an_error_becomes_a_sentence(tmp_path):
    outcome = attempt(Task("make", os.mkdir, (tmp_path,)))
    assert (outcome.name, outcome.state) == ("make", "failed")
    assert outcome.error == f"FileExistsError: [Errno 17] File exists: '{tmp_path}'"


def test_the_errors_of_epigx_are_sentences_already():
    def refuse() -> None:
        raise InputError("The file is empty. Give another one.")

    assert attempt(Task("read", refuse)).error == "The file is empty. Give another one."


def test_a_task_cannot_catch_an_end():
    with pytest.raises(SystemExit):
        attempt(Task("leave", sys.exit))


def test_a_missing_package_is_an_error():
    error = missing_extra("dask", "distributed")
    assert isinstance(error, ConfigError)
    assert str(error) == (
        "The engine 'dask' needs the package distributed, which is not installed: pip install 'epigx[dask]'."
    )


@pytest.mark.parametrize(("engine", "package"), [(Slurm(), "submitit"), (Dask(), "distributed")])
def test_each_engine_names_its_missing_package(engine, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"needs the package {package}.*pip install 'epigx\[{engine.kind}\]'"):
        engine.run([Task("a", print)])
