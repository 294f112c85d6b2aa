"""The split into training, validation and test genes, by whole chromosomes, so that neighbours stay together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, model_validator

from epigx.config import Config
from epigx.errors import ConfigError
from epigx.genome.chromosomes import match_chromosome

__all__ = ["PAPER", "Chromosome", "Split", "fold"]


def _as_name(value: object) -> object:
    return str(value) if type(value) is int else value


Chromosome = Annotated[str, BeforeValidator(_as_name)]
"""A chromosome's name; YAML reads the name 21 as a number."""


class Split(Config):
    """The chromosomes held out; all others are for training. ``fold-5`` stands for :func:`fold` 5.

    Examples
    --------
    >>> PAPER.of(["chr1", "21", "X"]).tolist()
    ['train', 'valid', 'test']
    """

    valid: tuple[Chromosome, ...]
    """Chromosomes that choose the checkpoint, with or without ``chr`` (``chr3`` or ``3``)."""
    test: tuple[Chromosome, ...]
    """Chromosomes for the final test."""

    @model_validator(mode="before")
    @classmethod
    def _of_fold(cls, values: object) -> object:
        if not isinstance(values, str):
            return values
        name, _, number = values.partition("-")
        if name != "fold" or not number.isdecimal():
            raise ValueError(f"{values!r} is not a split; write fold-1 to fold-12, or the chromosomes valid and test")
        return fold(int(number)).model_dump()

    @model_validator(mode="after")
    def _check_disjoint(self) -> Split:
        for name in self.valid:
            if match_chromosome(name, self.test) is not None:
                raise ValueError(f"chromosome {name} is both in valid and in test; put it in one of them")
        return self

    def of(self, chromosomes: Sequence[str] | NDArray[np.object_]) -> NDArray[np.str_]:
        """Return the split of each gene by its chromosome, (gene,): ``"train"``, ``"valid"`` or ``"test"``."""
        names, inverse = np.unique(np.asarray(chromosomes, dtype=str), return_inverse=True)
        splits = np.array([self._split_of(str(name)) for name in names], dtype="<U5")
        return splits[inverse]

    def _split_of(self, chromosome: str) -> str:
        if match_chromosome(chromosome, self.valid) is not None:
            return "valid"
        return "test" if match_chromosome(chromosome, self.test) is not None else "train"


PAPER = Split(valid=("chr3", "chr21"), test=("chr22", "chrX"))
"""The split of every table of the paper: fold 11 of the leave-chromosome-out table of Xpresso's genes."""


def fold(number: int) -> Split:
    """Return one of the twelve leave-chromosome-out folds that the paper's fold 11 belongs to; ``fold(11) == PAPER``.

    Fold k tests two chromosomes (fold 12: only chr1) and validates on the test chromosomes of the fold before it,
    except fold 11, which validates on chr3 and chr21.
    """
    if not 1 <= number <= 12:
        raise ConfigError(f"There is no fold {number}. Choose one from 1 to 12; the paper's split is fold 11.")
    if number == 11:
        return PAPER
    valid = {1: ("chr1", "chr11"), 12: _tested(1)}.get(number, _tested(number - 1))
    return Split(valid=valid, test=_tested(number))


def _tested(number: int) -> tuple[str, ...]:
    if number == 12:
        return ("chr1",)
    return ("chr22", "chrX") if number == 11 else (f"chr{number + 1}", f"chr{number + 11}")
