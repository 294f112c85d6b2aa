"""Add a backbone of your own: a sequence network that any objective can train.

    python examples/add_backbone.py

In a package of your own, this line in its pyproject.toml makes the backbone known to the command line:

    [project.entry-points."epigx.backbones"]
    dilated = "my_package.add_backbone:Dilated"

Then: epigx train infer --set model.backbone.kind=dilated ...
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from pydantic import Field
from torch import Tensor, nn

import epigx
from epigx import recipes
from epigx.backbones import Backbone
from epigx.simulator.settings import Simulation
from epigx.simulator.simulate import simulate


class Dilated(Backbone):
    """Convolutions that see twice as far in each layer."""

    kind: Literal["dilated"] = "dilated"
    n_layers: int = Field(default=4, ge=1)
    """Convolutions; the last one reads 2 to the power of n_layers positions to each side."""

    def build(self) -> nn.Module:
        return DilatedStack(self)


class DilatedStack(nn.Module):
    """From (batch, length, channel) to the same shape."""

    def __init__(self, config: Dilated) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv1d(config.d_model, config.d_model, 3, padding=2**i, dilation=2**i) for i in range(config.n_layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = x + nn.functional.gelu(layer(x.mT).mT)
        return x


def main(out: Path) -> None:
    manifest = epigx.read_manifest(simulate(Simulation(genes=60, seed=1), out / "raw"))
    epigx.build(manifest, 256, out / "data")
    config = recipes.infer(data=out / "data", cell_type="simA", window=256, scale="small")
    model = config.method.model.model_copy(update={"backbone": Dilated(d_model=32)})
    method = config.method.model_copy(update={"model": model})
    config = config.model_copy(update={"method": method}).override("training.steps=20", "training.warmup_steps=2")
    run = epigx.train(config, out / "run")
    print(epigx.evaluate(run, split="test").metrics)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "own-backbone"))
