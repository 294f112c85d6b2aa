"""Cases that the official classes computed, with epigx's networks that hold the same weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from epigx.batch import Batch
from epigx.importers.keys import prism_names
from epigx.importers.prism import read_prism
from epigx.training.weights import Networks


class Case(NamedTuple):
    expected: dict[str, Any]
    networks: Networks
    batch: Batch

    @property
    def intervention(self) -> bool:
        return "intervention_logits" in self.expected["eval"]

    def parameters(self) -> dict[str, Tensor]:
        """Parameters by their official names, without the second name of a shared one."""
        own = {
            f"{owner}.{name}": parameter
            for owner, network in self.networks._asdict().items()
            for name, parameter in network.named_parameters()
        }
        names = prism_names(self.expected["config"]["n_layer"], intervention=self.intervention)
        first_names = {place: official for official, place in reversed(list(names)) if place in own}
        return {first_names[place]: parameter for place, parameter in own.items()}


@pytest.fixture
def case(shared_fixtures: Path) -> Callable[[str], Case]:
    def load(name: str) -> Case:
        expected = torch.load(shared_fixtures / f"{name}.pt", weights_only=True)
        prism = read_prism(
            shared_fixtures / expected["weights_file"],
            pool=expected["center_len"],
            activation=expected["config"]["weight_act"],
        )
        inputs = expected["inputs"]
        batch = Batch(
            sequence=inputs["seqs"].float(),
            signals=inputs["signals"],
            features=inputs["rna_feat"],
            expression=inputs["y"].squeeze(1),
        )
        return Case(expected, prism.networks, batch)

    return load
