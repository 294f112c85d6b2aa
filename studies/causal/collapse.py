"""Why background patterns become fixed masks: what each loss does to the confounder encoder, step by step.

    python studies/causal/collapse.py data/real --cell-type K562 --min-dna-coverage 0.95 -o build/causal/collapse.csv

The encoder is trained as in InFER, and with L₂ or L₃ switched off. On genes that no step has seen it tells how much the
patterns, the logits under their sigmoid and the summary above it (the mean over positions) vary over genes, and how
much of the encoded signals' power is the background's, with patterns and without; and on the training batch how long
the gradient of each loss is on the encoder's weights.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from systems import configure

from epigx.batch import Batch
from epigx.dataset.loader import train_loader
from epigx.objectives import Backdoor, GeneSpecificBackdoor, Objective
from epigx.objectives.backdoor import BackdoorLoss, pattern_statistics
from epigx.runs.training_data import TrainingData, choose_training_data
from epigx.training.weights import build_networks

ARMS: dict[str, Objective] = {
    "InFER": Backdoor(),
    "InFER, L₂ alone (β = 0)": Backdoor(beta=0),
    "InFER, L₃ alone (α = 0)": Backdoor(alpha=0),
    "gene patterns": GeneSpecificBackdoor(),
}
LOOKED_AT = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cell-type", required=True)
    parser.add_argument("--min-dna-coverage", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 22, 222])
    parser.add_argument("-o", "--out", type=Path, default=Path("build/causal/collapse.csv"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in arguments.seeds:
        config = configure(
            "InFER", arguments.data, arguments.cell_type, seed,
            steps=arguments.steps, min_dna_coverage=arguments.min_dna_coverage,
        )  # fmt: skip
        data = choose_training_data(config.data, config.method.needs)
        held_out = data.valid.__getitems__(range(min(LOOKED_AT, len(data.valid))))
        for name, objective in ARMS.items():
            torch.manual_seed(seed)
            networks = build_networks(config.method.model, objective, data.inputs, seed=seed)
            rows += [
                {"arm": name, "seed": seed, **row}
                for row in follow(*networks, data, held_out, seed, arguments.steps, arguments.every)
            ]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows)
    table.to_csv(arguments.out, index=False)
    print(table.groupby(["arm", "step"], sort=False).mean().drop(columns="seed").round(4).to_string())


def follow(
    model: torch.nn.Module,
    objective: BackdoorLoss,
    data: TrainingData,
    held_out: Batch,
    seed: int,
    steps: int,
    every: int,
) -> list[dict[str, float]]:
    """Train, and look at the encoder before the first step and after each so many."""
    optimizer = torch.optim.AdamW([*model.parameters(), *objective.parameters()], lr=2e-3, betas=(0.9, 0.95))
    batches = itertools.islice(train_loader(data.train, batch_size=16, seed=seed), steps + 1)
    rows = []
    for step, batch in enumerate(batches):
        if step % every == 0:
            channels = list(data.inputs.background)
            found = variation(objective, held_out) | masking(model, objective, held_out, channels)
            rows.append({"step": step, **found, **gradients(model, objective, batch)})
        optimizer.zero_grad()
        objective(model, batch)[1].total.backward()
        torch.nn.utils.clip_grad_norm_([*model.parameters(), *objective.parameters()], 1.0)
        optimizer.step()
    return rows


@torch.no_grad()
def variation(objective: BackdoorLoss, batch: Batch) -> dict[str, float]:
    """Say how patterns, logits and summary vary over genes."""
    objective.eval()
    encoder = objective.confounder_encoder
    seen: list[torch.Tensor] = []
    hook = encoder.projection.register_forward_hook(lambda _, given, logits: seen.extend([given[0], logits]))
    patterns = objective.patterns(batch)
    hook.remove()
    objective.train()
    summary, logits = seen
    statistics = pattern_statistics(patterns)
    return {
        "sd of patterns": float(patterns.std(0).mean()),
        "cosine": statistics.get("pattern_cosine", 0.0),
        "L₃ above its floor": float(objective.diversity(patterns)) - objective.floor,
        "sd of logits": float(logits.std(0).mean()),
        "size of logits": float(logits.abs().mean()),
        "slope of the sigmoid": float((patterns * (1 - patterns)).mean()),
        "sd of summary / mean": float(summary.std(0).mean() / summary.mean(0).abs().mean()),
    }


@torch.no_grad()
def masking(model: torch.nn.Module, objective: BackdoorLoss, batch: Batch, background: list[int]) -> dict[str, float]:
    """Return the background's share of the power of H = g_θ(S), and of H under each pattern's mean over genes."""
    objective.eval()
    patterns = objective.patterns(batch).mean(0)
    objective.train()
    power = model.signal_encoder.weight.square() * batch.signals.square().mean((0, 1))

    def share(weights: torch.Tensor) -> float:
        masked = weights.square() @ power
        return float(masked[background].sum() / masked.sum())

    shares = [share(pattern) for pattern in patterns]
    return {
        "background in H": share(torch.ones_like(patterns[0])),
        "in H ⊙ a, lowest": min(shares),
        "in H ⊙ a, highest": max(shares),
    }


def gradients(model: torch.nn.Module, objective: BackdoorLoss, batch: Batch) -> dict[str, float]:
    """Return the length of the gradient of L₂ and of L₃ on the encoder's weights."""
    weights = list(objective.confounder_encoder.parameters())

    def length(loss: Any) -> float:
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        return float(torch.sqrt(sum((g**2).sum() for g in found if g is not None)))

    prediction = objective.intervene(model, batch)
    assert prediction.interventional is not None
    assert prediction.patterns is not None
    error = (prediction.interventional - batch.expression).abs().mean()
    return {
        "gradient of L₂": length(error),
        "gradient of L₃": length(objective.diversity(objective.patterns(batch))),
    }


if __name__ == "__main__":
    main()
