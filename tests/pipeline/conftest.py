"""A simulated genome, a dataset and two runs, made once through the command line, and the command line itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from epigx.cli import main

WINDOW = 128
SMALL = (
    "--set", "model.backbone.d_model=8", "--set", "model.backbone.n_layers=1", "--set", "training.batch_size=4",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("Error: ")]


@pytest.fixture
def epigx(capsys) -> Callable[..., Ended]:
    """Return the program: called with its words, in this process."""

    def call(*words: object) -> Ended:
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Ended(status, *capsys.readouterr())

    return call


@pytest.fixture
def refused(epigx, tmp_path) -> Callable[..., str]:
    """Return a call that has to end with exit 2 and one clear sentence, and to leave every file as it was."""

    def call(*words: object) -> str:
        before = contents(tmp_path)
        ended = epigx(*words)
        assert ended.status == 2, ended.err
        assert ended.out == ""
        (sentence,) = ended.errors
        assert ended.err.splitlines()[-1] == sentence
        assert sentence[-1] in ".?", sentence
        assert len(sentence) < 600
        assert "Traceback" not in ended.err
        assert contents(tmp_path) == before
        return sentence.removeprefix("Error: ")

    return call


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of every file below a folder, and every folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def _made(*words: object) -> None:
    assert main(["--quiet", *map(str, words)]) == 0


@pytest.fixture(scope="session")
def genome(tmp_path_factory) -> Path:
    """A folder of raw files: 42 genes on four chromosomes, two cell types."""
    out = tmp_path_factory.mktemp("cli") / "raw"
    chromosomes = "chromosomes=[chr1, chr2, chr3, chr22]"
    _made("simulate", "-o", out, "--genes", 42, "--seed", 1, "--set", chromosomes, "--set", "spacing=[4000, 8000]")
    return out


@pytest.fixture(scope="session")
def dataset(genome) -> Path:
    """A dataset built from them."""
    out = genome.parent / "data"
    _made("build", genome / "manifest.yaml", "--window", WINDOW, "-o", out, "--jobs", 1)
    return out


@pytest.fixture(scope="session")
def run(dataset) -> Path:
    """A run of InFER, hardly trained."""
    out = dataset.parent / "runs" / "infer"
    _made("train", "infer", "--data", dataset, "--cell-type", "simA", "--steps", 6, *SMALL, "-o", out)
    return out


@pytest.fixture(scope="session")
def plain(dataset) -> Path:
    """A run of its plain counterpart."""
    out = dataset.parent / "runs" / "plain"
    _made("train", "caduceus-signals", "--data", dataset, "--cell-type", "simA", "--steps", 6, *SMALL, "-o", out)
    return out


@pytest.fixture
def manifest(genome, tmp_path) -> Callable[..., Path]:
    """Return a function that writes the manifest, changed by the function that it is given."""

    def write(change: Callable[[dict], object] = lambda values: None) -> Path:
        values = yaml.safe_load((genome / "manifest.yaml").read_text())
        values["root"] = str(genome)
        change(values)
        path = tmp_path / "manifest.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False))
        return path

    return write
