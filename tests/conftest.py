"""What all tests share: seeds, and where the real data and the parity fixtures lie when they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from epigx.training.config import RunConfig
    from epigx.training.folder import Run

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    np.random.seed(0)  # noqa: NPY002 (libraries under test may draw from the global generator)


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} is not at hand: set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def shared_fixtures() -> Path:
    """Numbers that the official classes gave."""
    return _folder("EPIGX_FIXTURES", SHARED / "fixtures", "the folder of parity fixtures")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real human data for K562 and GM12878."""
    return _folder("EPIGX_REAL_DATA", SHARED / "data" / "hg38-k562-gm12878", "the folder of real data")


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    """Write a small dataset folder directly in the store's format, with expression that its signals explain."""
    return _write_dataset


@pytest.fixture(scope="session")
def tiny_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 genes on chr1 to chr4 (valid chr3, test chr4), 128 bp; cell types alpha, beta (fewer labels), bare (none)."""
    return _write_dataset(tmp_path_factory.mktemp("tiny") / "data")


@pytest.fixture(scope="session")
def tiny_config(tiny_dataset: Path) -> Callable[..., RunConfig]:
    """Make a configuration that trains on the tiny dataset in a second; take overrides (``"training.seed=1"``)."""

    def make(*overrides: str) -> RunConfig:
        from epigx.recipes import infer

        config = infer(data=tiny_dataset, cell_type="alpha", window=None)
        return config.override(
            "model.backbone.d_model=16", "model.backbone.n_layers=1", "training.steps=12", "training.warmup_steps=2",
            "training.lr=0.01", "training.threads=1", *overrides,
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def tiny_run(tiny_config: Callable[..., RunConfig], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on the tiny dataset; not to be changed."""
    from epigx.training.run import train

    return train(tiny_config(), tmp_path_factory.mktemp("runs") / "tiny")


def _write_dataset(path: Path, *, seed: int = 0, window: int = 128, cell_types=("alpha", "beta", "bare")) -> Path:
    from epigx.dataset.store import Description, digest

    rng = np.random.default_rng(seed)
    chrom = np.repeat(["chr1", "chr2", "chr3", "chr4"], [20, 16, 12, 12])
    n = len(chrom)
    activity = rng.uniform(0, 2, n)
    genes = pd.DataFrame(
        {
            "gene_id": [f"G{i:03d}" for i in range(n)],
            "symbol": [f"S{i:03d}" for i in range(n)],
            "chrom": chrom,
            "tss": 1000 + 500 * np.arange(n, dtype=np.int64),
            "strand": np.where(np.arange(n) % 2, "-", "+"),
            "dna_coverage": np.where(np.arange(n) % 10 == 9, 0.4, 1.0),
            "length": rng.lognormal(7, 1, n),
        }
    )
    (path / "signals").mkdir(parents=True)
    np.save(path / "sequence.npy", rng.integers(0, 4, (n, window), dtype=np.uint8))
    for number, cell_type in enumerate(cell_types):
        own = (activity + rng.normal(0, 0.2, n)).clip(0)
        signals = rng.exponential(0.2, (n, window, 3))
        signals[..., 0] += own[:, None]
        signals[..., 1] += rng.uniform(0, 1, n)[:, None]
        np.save(path / "signals" / f"{cell_type}.npy", signals.astype(np.float16))
        label = (own + rng.normal(0, 0.1, n)).clip(0)
        label[np.arange(n) % 7 < 3 * number] = np.nan  # alpha has all labels, beta 4 of 7
        genes[f"promoter:{cell_type}"] = own**2
        genes[f"expression:{cell_type}"] = np.nan if cell_type == "bare" else label
    genes.to_parquet(path / "genes.parquet", index=False)
    files = [p for p in sorted(path.rglob("*")) if p.is_file()]
    about = Description.parse(
        {
            "epigx": "0",
            "assembly": "toy",
            "window": window,
            "orient": "genome",
            "n_genes": n,
            "dtype": "float16",
            "cell_types": cell_types,
            "signals": [
                {"name": "h3k27ac", "transform": "log1p", "role": "foreground"},
                {"name": "dnase", "transform": "none", "role": "background"},
                {"name": "hic", "transform": "none", "role": "background"},
            ],
            "features": [
                {"name": "length", "transform": "log10zscore"},
                {"name": "promoter", "transform": "zscore", "per_cell_type": True},
            ],
            "split": {"valid": ["chr3"], "test": ["chr4"]},
            "sources": {},
            "files": {str(p.relative_to(path)): digest(p).model_dump() for p in files},
        }
    )
    (path / "dataset.json").write_text(about.model_dump_json())
    return path
