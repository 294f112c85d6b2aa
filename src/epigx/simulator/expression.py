"""The stranded CAGE tracks of a cell type: expression as counts of transcript starts around each TSS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from epigx.simulator.annotation import Annotation
from epigx.simulator.causes import CellState
from epigx.simulator.signals import write_bigwig

__all__ = ["write_cage"]

# Starts are spread over a few bases, well within the 384 bp of the label (REFERENCE 1.3).
SCATTER = {-3: 0.05, -2: 0.1, -1: 0.2, 0: 0.3, 1: 0.2, 2: 0.1, 3: 0.05}


def write_cage(annotation: Annotation, state: CellState, stem: Path) -> None:
    """Write ``<stem>.cage.plus.bigWig`` and ``<stem>.cage.minus.bigWig``.

    A gene's counts on its own strand add up to 10^E - 1, so log10(1 + sum) is E.
    """
    for name, strand in (("plus", "+"), ("minus", "-")):
        starts = _starts(annotation, np.power(10.0, state.expression) - 1, strand)
        write_bigwig(Path(f"{stem}.cage.{name}.bigWig"), annotation.sizes, starts)


def _starts(annotation: Annotation, counts: np.ndarray, strand: str) -> Iterator[tuple[str, int, int, float]]:
    genes = annotation.genes.assign(count=counts)
    genes = genes[genes["strand"] == strand].sort_values(["chrom", "tss"])
    for chrom, tss, count in zip(genes["chrom"], genes["tss"], genes["count"], strict=True):
        for offset, share in SCATTER.items():
            yield chrom, tss + offset, tss + offset + 1, share * count
