"""What all tests share: seeds, a small genome, and the folders of real data and parity fixtures."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import yaml

if TYPE_CHECKING:
    from epigx.runs.config import RunConfig
    from epigx.runs.folder import Run

SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure() -> None:
    """React to Ctrl-C as in a terminal: a shell makes its background jobs ignore it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the C++ kernel where it cannot be used, and say why."""
    if item.get_closest_marker("native") is not None:
        from epigx.kernels import cpu

        if (reason := cpu.missing()) is not None:
            pytest.skip(f"C++ kernel: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which comparisons were not run."""
    if config.option.markexpr == "not oracle":
        terminalreporter.write_line(
            "Not run: comparisons with MACS3, enformer-pytorch, mambapy, transformers. Run them with: make test-oracles"
        )


@pytest.fixture(autouse=True)
def _seeded() -> None:
    np.random.seed(0)  # noqa: NPY002 (libraries under test may draw from the global generator)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Undo what a call of the program does to logging, which belongs to the whole process."""
    loggers = [logging.getLogger(name) for name in ("epigx", "epigx.cli")]
    before = [(logger, logger.level, logger.handlers[:], logger.propagate) for logger in loggers]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers, logger.propagate = handlers, propagate


@pytest.fixture(autouse=True)
def _denormals_as_before() -> Iterator[None]:
    """Undo what a call of the program does to the arithmetic of its thread."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


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
    from epigx.training.train import train

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


class GenomeFiles:
    """A genome of two chromosomes and eight genes, some at a chromosome's very end, in the formats that users have.

    ``values`` is its manifest as plain values, to be changed at will before :meth:`manifest` or :meth:`write`.
    """

    sizes: ClassVar[dict[str, int]] = {"chr1": 6000, "chr2": 4000}
    places: ClassVar[list[tuple[str, int, str]]] = [
        ("chr2", 1500, "+"),
        ("chr2", 100, "-"),
        ("chr1", 0, "+"),
        ("chr1", 30, "-"),
        ("chr1", 2000, "-"),
        ("chr1", 2500, "+"),
        ("chr1", 5999, "-"),
        ("chr2", 3990, "+"),
    ]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.random = np.random.default_rng(0)
        self.gene_ids = [f"g{number}" for number in range(len(self.places))]
        self.write_fasta()
        self.write_genes(self.places)
        for cell in ("A", "B"):
            self.write_bigwig(f"{cell}.h3k27ac.bigWig")
            self.write_text(f"{cell}.dnase.bedGraph", self._steps("chr1", 40) + self._steps("chr2", 25))
        self.write_text("loops.bedpe", ["chr1 1900 2600 chr1 5500 6000 loop 3.5", "chr2 0 200 chr2 1400 1600 loop 2"])
        labels = self.random.integers(0, 500, size=(8, 2))
        self.write_table("expression.tsv", {"A_TPM": labels[:, 0], "B_TPM": labels[:, 1]})
        lengths = self.random.integers(50, 5000, size=(8, 2))
        self.write_table("features.tsv", {"cds_length": lengths[:, 0], "density": lengths[:, 1] / 1000})
        self.values: dict[str, Any] = {
            "root": str(folder),
            "assembly": "toy",
            "genome": "genome.fa",
            "genes": "genes.bed",
            "split": {"valid": [], "test": ["chr2"]},
            "signals": {
                "h3k27ac": {"role": "foreground", "transform": "log1p"},
                "dnase": {"role": "background", "transform": "asinh"},
                "hic": {"role": "background"},
            },
            "features": {
                "file": "features.tsv",
                "columns": {"cds_length": "log10zscore", "density": "zscore"},
                "promoter_activity": {},
            },
            "cell_types": {
                cell: {
                    "signals": {
                        "h3k27ac": f"{cell}.h3k27ac.bigWig",
                        "dnase": f"{cell}.dnase.bedGraph",
                        "hic": "loops.bedpe",
                    },
                    "expression": {"file": "expression.tsv", "column": f"{cell}_TPM"},
                }
                for cell in ("A", "B")
            },
        }

    def manifest(self) -> Any:
        """Return the manifest."""
        from epigx.dataset.manifest.schema import Manifest

        return Manifest.parse(self.values)

    def write(self) -> Path:
        """Write the manifest as YAML."""
        path = self.folder / "manifest.yaml"
        path.write_text(yaml.safe_dump({**self.values, "root": "."}, sort_keys=False))
        return path

    def write_fasta(self, sizes: dict[str, int] | None = None) -> None:
        """Write random bases, with a stretch of N."""
        lines = []
        for chrom, size in (sizes or self.sizes).items():
            bases = self.random.choice(list("ACGTacgt"), size)
            bases[200:260] = "N"
            lines += [f">{chrom}", *("".join(bases[first : first + 60]) for first in range(0, size, 60))]
        for index in self.folder.glob("genome.fa.*"):
            index.unlink()
        self.write_text("genome.fa", lines)

    def write_genes(self, places: list[tuple[str, int, str]], gene_ids: list[str] | None = None) -> None:
        """Write a BED of TSSs."""
        names = gene_ids or [f"g{number}" for number in range(len(places))]
        rows = [
            f"{chrom}\t{tss}\t{tss + 1}\t{name}\t0\t{strand}\tS{name}"
            for (chrom, tss, strand), name in zip(places, names, strict=True)
        ]
        self.write_text("genes.bed", rows)

    def write_bigwig(
        self, name: str, rows: list[tuple[str, int, int, float]] | None = None, sizes: dict[str, int] | None = None
    ) -> None:
        """Write a bigWig: random steps with gaps, or the rows given."""
        import pybigtools

        if rows is None:
            rows = []
            for line in self._steps("chr1", 50) + self._steps("chr2", 30):
                chrom, start, end, value = line.split("\t")
                rows.append((chrom, int(start), int(end), float(value)))
        pybigtools.open(str(self.folder / name), "w").write(sizes or self.sizes, rows)

    def write_table(self, name: str, columns: dict[str, Any]) -> None:
        """Write a TSV with a row for each gene."""
        rows = zip(self.gene_ids, *columns.values(), strict=True)
        self.write_text(name, ["\t".join(["gene_id", *columns]), *("\t".join(map(str, row)) for row in rows)])

    def write_text(self, name: str, lines: list[str]) -> None:
        """Write lines."""
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def _steps(self, chrom: str, number: int) -> list[str]:
        """Cut a chromosome into stretches of constant value, a tenth of them without one."""
        inner = np.sort(self.random.choice(np.arange(1, self.sizes[chrom]), number - 1, replace=False))
        edges = np.concatenate([[0], inner, [self.sizes[chrom]]])
        spans = [span for place, span in enumerate(pairwise(edges)) if place % 10 != 5]
        return [f"{chrom}\t{start}\t{end}\t{self.random.integers(1, 40) / 4}" for start, end in spans]


@pytest.fixture
def genome_files(tmp_path: Path) -> GenomeFiles:
    """Raw files of a small genome."""
    return GenomeFiles(tmp_path / "files")


@pytest.fixture(scope="session")
def make_genome_files() -> type[GenomeFiles]:
    """Write raw files of a small genome in a folder, for tests that need several."""
    return GenomeFiles


@pytest.fixture
def region_files(genome_files: GenomeFiles) -> GenomeFiles:
    """Raw files of a small genome, with peaks of either cell type and a blacklist."""
    return _add_regions(genome_files)


@pytest.fixture(scope="session")
def add_regions() -> Callable[[GenomeFiles], GenomeFiles]:
    return _add_regions


def _add_regions(files: GenomeFiles) -> GenomeFiles:
    """Give a small genome peaks of either cell type and a blacklist."""
    for cell in files.values["cell_types"]:
        rows = []
        for chrom, size in files.sizes.items():
            starts = np.sort(files.random.integers(0, size - 200, size // 250))
            rows += [f"{chrom}\t{at}\t{at + files.random.integers(20, 200)}\tp\t0\t.\t5\t-1\t-1\t10" for at in starts]
        files.write_text(f"{cell}.narrowPeak", rows)
        files.values["cell_types"][cell]["peaks"] = f"{cell}.narrowPeak"
    files.write_text("blacklist.bed", ["chr1\t1990\t2040", "chr2\t0\t120"])
    files.values["blacklist"] = "blacklist.bed"
    return files
