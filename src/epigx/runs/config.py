"""The complete description of a run: which data it reads, and by which method it learns from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from epigx.config import Config
from epigx.dataset.manifest.split import Split
from epigx.dataset.signals import Transform
from epigx.errors import ConfigError, did_you_mean
from epigx.runs.method import Method

__all__ = ["DataConfig", "RunConfig"]


class DataConfig(Config):
    """Which genes a run reads, and what it reads of them."""

    path: str
    """Dataset folder."""
    cell_types: tuple[str, ...] = Field(min_length=1)
    """Cell types to train on; with several, each gene is seen once per cell type."""
    window: int | None = Field(default=None, ge=2)
    """Central base pairs of the dataset's window to read; none: the whole window."""
    signals: tuple[str, ...] | None = None
    """Signals by name, in the order of the model's channels; none: all of the dataset."""
    transforms: dict[str, Transform] | None = None
    """Transform of a signal by its name, in place of the dataset's own."""
    features: tuple[str, ...] | None = None
    """Features by name, in the order in which the model reads them; none: all of the dataset."""
    split: Split | None = None
    """Chromosomes for validation and test; none: the dataset's split."""
    min_dna_coverage: float = Field(default=0.0, ge=0.0, le=1.0)
    """Leave out genes with a smaller share of known bases."""
    coverage_window: int | None = Field(default=None, ge=2)
    """Central base pairs in which known bases are counted; none: the dataset's whole window."""
    dna: bool = True
    """Whether the bases are read; the sequence is all zeros otherwise."""


class RunConfig(Config):
    """Everything that decides a run; saved as ``config.yaml`` in the run's folder, from which it loads back equal."""

    data: DataConfig
    """Genes and inputs."""
    method: Method
    """How it learns: a network, or one of the baselines."""

    @model_validator(mode="before")
    @classmethod
    def _upgrade(cls, values: Any) -> Any:
        """Read a configuration of epigx 0.1, where every run was a network and had its settings at the top."""
        if isinstance(values, dict) and "method" not in values and "model" in values:
            network = {key: value for key, value in values.items() if key != "data"}
            return {**({"data": values["data"]} if "data" in values else {}), "method": {"kind": "network", **network}}
        return values

    def override(self, *assignments: str, typed: Mapping[str, str] | None = None) -> Self:
        """Return a copy with some values replaced; keys of the method may leave out ``method.``.

        Parameters
        ----------
        *assignments : str
            As of :meth:`Config.override`; ``objective.alpha=0.1`` stands for ``method.objective.alpha=0.1``.
        """
        said = {assignment: f"--set {assignment}" for assignment in assignments} | dict(typed or {})
        fields = self._method_fields(assignments)
        for assignment in assignments:
            first = re.split(r"[.=]", assignment)[0].strip()
            if "=" in assignment and first not in {*fields, *type(self).model_fields}:
                choice = did_you_mean(first, {*fields, *type(self).model_fields})
                raise ConfigError(f"{said[assignment]}: unknown key {first!r}.{choice}")
        whole = {
            assignment: f"method.{assignment}" if re.split(r"[.=]", assignment)[0].strip() in fields else assignment
            for assignment in assignments
        }
        try:
            return super().override(*whole.values(), typed={whole[one]: said[one] for one in assignments})
        except ConfigError as error:  # name keys as the user does
            text = str(error)
            for field in fields:
                text = text.replace(f"method.{field}", field)
            raise ConfigError(text) from None

    def _method_fields(self, assignments: Iterable[str]) -> set[str]:
        """Return the settings that may leave out ``method.``, of the method that the assignments choose."""
        method = type(self.method)
        for assignment in assignments:
            key, _, name = assignment.partition("=")
            if key.strip() == "method.kind":
                method = Method.find(name.strip()) or method
        return set(method.model_fields) - {"kind"}
